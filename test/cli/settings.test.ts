import { chmodSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createProgram } from "../../src/cli/program.js";
import { treeOf } from "../../src/cli/completion/tree.js";
import { FlakyServer } from "../client/flaky.js";
import { Folder, run } from "./cli.js";

// Every step is a process of its own, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

describe("settings", () => {
  let server: FlakyServer;
  beforeAll(async () => {
    server = await FlakyServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  const lastSeen = () => server.seen.at(-1);

  const write = (folder: Folder, text: string, mode = 0o600) => {
    writeFileSync(folder.file(".carillonrc"), text);
    chmodSync(folder.file(".carillonrc"), mode);
  };

  test("flags go before the environment, that before this folder's file, that before the one at home", async () => {
    using home = new Folder();
    using here = new Folder();
    write(home, `url: ${server.url}\nkey: of-home\napp: of-home\n`);
    const at = { cwd: here.path, env: { HOME: home.path } };
    expect(await run(["crons", "list"], at)).toMatchObject({
      code: 0,
      stdout: "no crons\n",
      stderr: "",
    });
    expect(lastSeen()).toMatchObject({
      url: "/api/v1/apps/of-home/crons",
      headers: { authorization: "Bearer of-home" },
    });
    write(here, JSON.stringify({ url: server.url, key: "of-folder", app: "of-folder" }));
    await run(["crons", "list"], at);
    expect(lastSeen()).toMatchObject({
      url: "/api/v1/apps/of-folder/crons",
      headers: { authorization: "Bearer of-folder" },
    });
    const env = {
      ...at.env,
      CARILLON_URL: server.url,
      CARILLON_KEY: "of-env",
      CARILLON_APP: "of-env",
    };
    await run(["crons", "list"], { ...at, env });
    expect(lastSeen()).toMatchObject({
      url: "/api/v1/apps/of-env/crons",
      headers: { authorization: "Bearer of-env" },
    });
    await run(["crons", "list", "--key", "of-flag", "-a", "of-flag"], { ...at, env });
    expect(lastSeen()).toMatchObject({
      url: "/api/v1/apps/of-flag/crons",
      headers: { authorization: "Bearer of-flag" },
    });
  });

  test("a key is not sent to an address that some folder's file names", async () => {
    using here = new Folder();
    write(here, `url: ${server.url}\napp: crm\n`);
    const before = server.seen.length;
    const at = { cwd: here.path, env: { CARILLON_KEY: "mine" } };
    expect(await run(["crons", "list"], at)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/the key is not sent to .*\n.*--url or CARILLON_URL/) as string,
    });
    expect(server.seen).toHaveLength(before);
    expect((await run(["crons", "list", "--key", "mine"], at)).code).toBe(0);
  });

  test("a file that others can read is warned of when it holds a key; a wrong one is refused", async () => {
    using here = new Folder();
    const at = { cwd: here.path };
    write(here, `url: ${server.url}\nkey: k\napp: crm\n`, 0o644);
    const warned = await run(["crons", "list"], at);
    expect(warned).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("chmod 600") as string,
    });
    write(here, "url: http://x\npassword: y\n");
    expect(await run(["crons", "list"], at)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("password is not a known field") as string,
    });
    const named = await run(["apps", "list"], { env: { CARILLON_RC: here.file("none") } });
    expect(named).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("cannot read") as string,
    });
  });

  test("nobody there: code 5", async () => {
    const ended = await run(["apps", "list", "--url", "http://127.0.0.1:1", "--key", "k"]);
    expect(ended).toMatchObject({
      code: 5,
      stderr: expect.stringContaining("cannot be reached") as string,
    });
    expect((await run(["apps", "list", "--url", "localhost"])).code).toBe(2);
  });
});

describe("help", () => {
  test("of every command says what it does, and leaves with 0", async () => {
    for (const { path, commands } of treeOf(await createProgram())) {
      for (const { name, description } of commands)
        expect(description, `${path} ${name}`).not.toBe("");
    }
    expect(await run(["--help"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/Examples:[^]*Exit codes: 0 done/) as string,
    });
    const ofOne = await run(["crons", "create", "--help"]);
    expect(ofOne).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Examples:") as string,
    });
  });
});

describe("completion", () => {
  const complete = async (line: string) => {
    const { stdout: script } = await run(["completion", "bash"]);
    const words = line.split(" ");
    const quoted = words.map((word) => `'${word}'`).join(" ");
    const asked = `${script}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _carillon; echo "\${COMPREPLY[*]}"`;
    const { stdout, stderr } = spawnSync("bash", ["--norc", "-c", asked], { encoding: "utf8" });
    expect(stderr).toBe("");
    return stdout.trim().split(" ");
  };

  test("in bash knows commands, options and what they may be", async () => {
    expect(await complete("carillon cr")).toEqual(["crons"]);
    expect(await complete("carillon crons p")).toEqual(["pause"]);
    expect(await complete("carillon crons create nightly --over")).toEqual(["--overlap"]);
    expect(await complete("carillon crons create nightly --overlap re")).toEqual(["replace"]);
    expect(await complete("carillon import ")).toEqual(
      expect.arrayContaining(["pg-cron", "graphile-worker", "pg-boss", "kubernetes"]),
    );
    expect(await complete("carillon completion f")).toEqual(["fish"]);
  });

  test("in zsh and fish offers the same", async () => {
    for (const shell of ["zsh", "fish"]) {
      const { code, stdout } = await run(["completion", shell]);
      expect(code).toBe(0);
      for (const { path, commands, options } of treeOf(await createProgram())) {
        for (const { name } of commands) expect(stdout, `${shell}: ${path}`).toContain(name);
        for (const { names } of options) {
          for (const name of names)
            expect(stdout).toContain(shell === "zsh" ? name : name.replace(/^--?/, ""));
        }
      }
      const check = spawnSync(shell, ["-n"], { input: stdout, encoding: "utf8" });
      // Where the shell is there it reads the script as well.
      if (check.error === undefined) expect(check.stderr).toBe("");
    }
    expect((await run(["completion", "csh"])).code).toBe(2);
  });
});
