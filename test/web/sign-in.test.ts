import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { linkIdentity } from "../../src/db/identities.js";
import { Issuer } from "../helpers/issuer.js";
import { expectAccessible, Site } from "./site.js";

let site: Site;
beforeAll(async () => {
  site = await Site.start();
}, 180_000);
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
});

describe("signing in", () => {
  test("by a key shows the very page that was asked for, and lasts for the tab", async () => {
    const page = await site.open("/crons?q=digest");
    await page.getByRole("heading", { name: "Sign in to Carillon" }).waitFor();
    await expectAccessible(page);
    await page.getByLabel("API key").fill(site.seeded.keys["maria.okafor"] ?? "");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("link", { name: "daily-digest", exact: true }).waitFor();
    expect(new URL(page.url()).search).toBe("?q=digest");
    await page.reload();
    await page.getByRole("link", { name: "daily-digest", exact: true }).waitFor();
  });

  test("by a key that is none says so at the field, and forgets it", async () => {
    const page = await site.open("/crons");
    await page.getByLabel("API key").fill(`crl_${"x".repeat(43)}`);
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("This key is not known here").waitFor();
    expect(await page.getByLabel("API key").getAttribute("aria-invalid")).toBe("true");
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  });

  test("ends by Sign out: the tab knows nothing any more", async () => {
    const page = await site.open("/crons", { as: "priya.raman" });
    await page.getByRole("button", { name: "Account: priya.raman" }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in to Carillon" }).waitFor();
    expect(await page.evaluate(() => sessionStorage.getItem("carillon.key"))).toBeNull();
  });

  test("is asked for again when the key is revoked, over the page, which stays", async () => {
    const page = await site.open("/crons", { as: "priya.raman" });
    await page.getByRole("link", { name: "fx-rates" }).waitFor();
    await site.sql`
      update carillon.api_keys set revoked_at = carillon.now()
      where principal_id = (select id from carillon.principals where username = 'priya.raman')`;
    const dialog = page.getByRole("dialog", { name: "Your key is no longer valid" });
    await dialog.waitFor();
    await expectAccessible(page);
    await dialog.getByLabel("API key").fill(site.seeded.keys["maria.okafor"] ?? "");
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("link", { name: "fx-rates" }).waitFor();
  });
});

describe("coming by the session of the site", () => {
  const COOKIE = "ory_kratos_session";
  const cookies = { [COOKIE]: "good" };
  let kratos: Issuer;
  let own: Site;
  const session = (id: string, more: object = {}) => ({
    active: true,
    expires_at: "2099-01-01T00:00:00Z",
    identity: { id, state: "active", traits: { email: `${id}@larkfield.example` } },
    ...more,
  });

  beforeAll(async () => {
    kratos = await Issuer.start();
    const whoamiUrl = `${kratos.url}/sessions/whoami`;
    own = await Site.empty({
      session: { whoamiUrl, cookie: COOKIE, rememberMs: 0, timeoutMs: 3000 },
    });
    await own.api.install("crm", { crons: [{ name: "daily-digest", schedule: "0 9 * * 1-5" }] });
    const ada = await own.api.caller("ada", ["app:crm:*"]);
    await linkIdentity(own.sql, ada.id, { issuer: "session", subject: "kratos-ada" });
  }, 180_000);
  afterAll(async () => {
    await own?.[Symbol.asyncDispose]();
    await kratos?.[Symbol.asyncDispose]();
  });

  test("asks for no key, and changes things: the change comes from this very site", async () => {
    kratos.json(200, session("kratos-ada"));
    const page = await own.open("/crons", { cookies });
    await page.getByRole("link", { name: "daily-digest" }).click();
    await page.getByRole("button", { name: "Run now" }).click();
    const dialog = page.getByRole("dialog", { name: "Run daily-digest now" });
    await dialog.getByRole("button", { name: "Run once" }).click();
    await page.getByText(/daily-digest runs as job \d+/).waitFor();
    await page.getByRole("button", { name: "Account: ada" }).click();
    await page.getByText("by your session").waitFor();
    // The cookie is the site's: it is ended where it was given.
    expect(await page.getByRole("menuitem", { name: "Sign out" }).count()).toBe(0);
    expect(own.asked(page).some((asked) => /^POST .*\/trigger$/.test(asked))).toBe(true);
  });

  test("makes keys, which a key may not", async () => {
    kratos.json(200, session("kratos-ada"));
    const page = await own.open("/admin/keys", { cookies });
    await page.getByRole("button", { name: "New key" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("laptop");
    await page.getByRole("checkbox", { name: /app:crm:cron\.read/ }).check();
    await page.getByRole("button", { name: "Create key" }).click();
    await page.getByRole("textbox", { name: "The key laptop" }).waitFor();
  });

  test("that is over is said over the page, which goes on once it is renewed", async () => {
    kratos.json(200, session("kratos-ada"));
    const page = await own.open("/crons", { cookies });
    await page.getByRole("link", { name: "daily-digest" }).waitFor();
    kratos.json(401, {});
    const dialog = page.getByRole("dialog", { name: "Your session has ended" });
    await dialog.waitFor();
    await expectAccessible(page);
    await dialog.getByRole("button", { name: "I have signed in" }).click();
    await dialog.getByRole("alert").getByText("There is no session yet.").waitFor();
    kratos.json(200, session("kratos-ada"));
    await dialog.getByRole("button", { name: "I have signed in" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("link", { name: "daily-digest" }).waitFor();
  });

  test("of somebody who is nobody here is refused, and a key asked for", async () => {
    kratos.json(200, session("kratos-eve"));
    const page = await own.open("/crons", { cookies });
    await page.getByRole("heading", { name: "Sign in to Carillon" }).waitFor();
    expect(await page.getByText("daily-digest").count()).toBe(0);
  });

  test("that nobody can check lets nobody in, and says so", async () => {
    kratos.json(502, {});
    const page = await own.open("/crons", { cookies });
    await page.getByRole("alert").waitFor();
    kratos.json(200, session("kratos-ada"));
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("link", { name: "daily-digest" }).waitFor();
  });
});
