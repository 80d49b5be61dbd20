// A gallery of its own for each test: the real program, an empty folder, a free port.

import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const BINARY = required("GALLERY_TEST_BINARY");

/** Starts the program and waits until it says where it is. */
export async function startGallery() {
  const data = await mkdtemp(join(tmpdir(), "gallery-page-"));
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GALLERY_")));
  const program = spawn(BINARY, ["serve", "--listen", "127.0.0.1:0", "--data", data], { env: own, stdio: ["ignore", "pipe", "pipe"] });
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
  return {
    address,
    /** The text of the latest mail, once there are so many. */
    async mail(number) {
      for (;;) {
        const files = (await readdir(join(data, "outbox"))).filter((name) => name.endsWith(".eml")).sort();
        if (files.length >= number) return readFile(join(data, "outbox", files.at(-1)), "utf8");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async stop() {
      const ended = new Promise((resolve) => program.on("exit", resolve));
      program.removeAllListeners("exit");
      program.on("exit", () => {});
      program.kill("SIGTERM");
      if (program.exitCode === null) await Promise.race([ended, new Promise((resolve) => program.once("exit", resolve))]);
      await rm(data, { recursive: true, force: true });
    },
  };
}

/** Real photos, and a file that only says it is one. */
export async function photoFiles(count) {
  const folder = required("GALLERY_TEST_PHOTOS");
  const found = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith(".jpg") && entry.parentPath.includes("pictures"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  if (found.length < count) throw new Error(`there are only ${found.length} photos in ${folder}`);
  const step = Math.floor(found.length / count);
  return found.filter((_, at) => at % step === 0).slice(0, count);
}

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run \`cargo xtask test\``);
  return value;
}
