/** How the reference looks: by light and by dark, on small screens and on paper. */
export const STYLE = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 15%, transparent); --soft: color-mix(in srgb, currentColor 65%, transparent); --wash: color-mix(in srgb, currentColor 5%, transparent); --link: light-dark(#0b57d0, #8ab4f8); }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; display: grid; grid-template-columns: 15rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1rem; border-right: 1px solid var(--line); }
nav h2 { font-size: .8rem; text-transform: uppercase; letter-spacing: .05em; color: var(--soft); margin: 1rem 0 .25rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
main { padding: 1rem 2rem 4rem; max-width: 60rem; }
a { color: var(--link); text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; }
h3 { margin: 0 0 .5rem; font-size: 1rem; overflow-wrap: anywhere; }
h3 a { color: inherit; }
h4 { margin: 1rem 0 .25rem; font-size: .85rem; color: var(--soft); }
article { border-top: 1px solid var(--line); padding: 1.25rem 0; scroll-margin-top: 1rem; }
article:target { background: var(--wash); }
code, pre { font: 13px/1.5 ui-monospace, monospace; }
pre { background: var(--wash); padding: .75rem; border-radius: 6px; overflow-x: auto; }
.method { display: inline-block; min-width: 4rem; padding: 0 .4rem; border-radius: 4px; color: #fff; background: #5f6368; font: 600 12px/1.6 ui-monospace, monospace; text-align: center; }
.get { background: #0b57d0; } .post { background: #137333; } .put, .patch { background: #8a5300; } .delete { background: #b3261e; }
.needs, .headers, small, i { color: var(--soft); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
th { font-weight: normal; width: 12rem; }
.answers { margin: 0; padding-left: 1rem; }
@media (max-width: 50rem) { body { display: block; } nav { position: static; height: auto; border: 0; } main { padding: 1rem; } }
@media print { nav { display: none; } body { display: block; } }
`;
