// A gallery of its own for each test: the real program, an empty folder, a free port.

import { spawn } from "node:child_process";
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

export const ADA = { name: "Ada", email: "ada@example.org", password: "seventeen green umbrellas" };

/**
 * Starts the program and waits until it says where it is.
 * @param {{ data?: string, options?: string[] }} [settings] `data`: a folder that is there already, and stays
 */
export async function startGallery({ data: existing, options = [] } = {}) {
  const data = existing ?? (await mkdtemp(join(tmpdir(), "gallery-page-")));
  let { program, address } = await serve(data, ["--listen", "127.0.0.1:0", ...options]);
  return {
    address,
    data,
    /** The text of the latest mail, once there are so many. */
    async mail(number) {
      for (;;) {
        const files = (await readdir(join(data, "outbox"))).filter((name) => name.endsWith(".eml")).sort();
        if (files.length >= number) return readFile(join(data, "outbox", files.at(-1)), "utf8");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    /** An account that needs no confirmation, made at the console. */
    createUser: ({ email, name, password }) => run(data, ["user", "create", email, "--name", name, "--password-stdin"], password),
    importFolder: (...paths) => run(data, ["import", ...paths]),
    /** Somebody's calls of the API, past the page. */
    async client({ email, password }) {
      const call = async (method, path, body, token) => {
        const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
        const response = await fetch(`${address}api${path}`, { method, headers, body: body && JSON.stringify(body) });
        if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
        return response.status === 204 ? {} : response.json();
      };
      const { token } = await call("POST", "/login", { email, password });
      return (method, path, body) => call(method, path, body, token);
    },
    /** Stops the program in the middle of whatever it does, as an operator does. */
    async cut() {
      await end(program, "SIGTERM");
    },
    /** Starts it once more where it was. */
    async restore() {
      ({ program } = await serve(data, ["--listen", new URL(address).host, ...options]));
    },
    async stop() {
      await end(program, "SIGTERM");
      if (!existing) await rm(data, { recursive: true, force: true });
    },
  };
}

/** Starts the server. @param {string} data @param {string[]} words */
async function serve(data, words) {
  const program = start(data, ["serve", ...words]);
  let log = "";
  program.stderr.on("data", (bytes) => (log += bytes));
  const address = await new Promise((resolve, reject) => {
    let said = "";
    program.stdout.on("data", (bytes) => {
      said += bytes;
      const found = /http:\/\/\S+/.exec(said);
      if (found) resolve(found[0]);
    });
    program.on("exit", () => reject(new Error(`the program ended:\n${log}`)));
  });
  return { program, address };
}

async function run(data, words, input = "") {
  const program = start(data, words);
  let said = "";
  program.stdout.on("data", (bytes) => (said += bytes));
  program.stderr.on("data", (bytes) => (said += bytes));
  program.stdin.end(input);
  const code = await new Promise((resolve) => program.on("exit", resolve));
  if (code !== 0) throw new Error(`gallery ${words.join(" ")} ended with ${code}:\n${said}`);
  return said;
}

function start(data, words) {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GALLERY_")));
  return spawn(required("GALLERY_TEST_BINARY"), [...words, "--data", data], { env: own, stdio: ["pipe", "pipe", "pipe"] });
}

async function end(program, signal) {
  if (program.exitCode !== null || program.signalCode !== null) return;
  const ended = new Promise((resolve) => program.on("exit", resolve));
  program.kill(signal);
  await ended;
}

/** Real photos of all types: so many of them, from here and there, or all. @param {number} [count] */
export async function photoFiles(count) {
  const folder = required("GALLERY_TEST_PHOTOS");
  const found = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && /\.(?:jpg|png|webp)$/.test(entry.name) && entry.parentPath.includes("pictures"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  if (count === undefined) return found;
  if (found.length < count) throw new Error(`there are only ${found.length} photos in ${folder}`);
  const step = Math.floor(found.length / count);
  return found.filter((_, at) => at % step === 0).slice(0, count);
}

/** A folder of its own with copies of files, and some with texts. @param {string[]} files @param {Record<string, string>} [texts] */
export async function folderOf(files, texts = {}) {
  const path = await mkdtemp(join(tmpdir(), "gallery-folder-"));
  for (const [at, file] of files.entries()) await copyFile(file, join(path, `${at}-${basename(file)}`));
  for (const [name, text] of Object.entries(texts)) await writeFile(join(path, name), text);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run \`cargo xtask test\``);
  return value;
}
