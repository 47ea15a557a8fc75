/** Runs the program's commands as processes of their own, as a person would. */

const ROOT = new URL("../", import.meta.url);

/** How a command ended. */
export type Outcome = { code: number; stdout: string; stderr: string };

function newCommand(script: string, args: string[], env: Record<string, string>): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, ...args],
    cwd: ROOT,
    // An empty variable counts as unset, so nothing of the developer's own settings gets in.
    env: { DATABASE_URL: "", HOST: "", PORT: "0", NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs a command to its end. */
export async function runProgram(
  script: string,
  args: string[],
  env: Record<string, string>,
): Promise<Outcome> {
  const { code, stdout, stderr } = await newCommand(script, args, env).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

/** A program that runs until it is stopped. */
export type RunningProgram = {
  /** What it has printed so far. */
  stdout: string;
  /** Waits until it has printed something that matches. */
  printed(pattern: RegExp): Promise<RegExpMatchArray>;
  stop(signal: Deno.Signal): Promise<Outcome>;
};

/** Starts a program that runs until it is stopped. */
export function startProgram(
  script: string,
  args: string[],
  env: Record<string, string>,
): RunningProgram {
  const process = newCommand(script, args, env).spawn();
  const stderr = process.stderr.text();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const running: RunningProgram = {
    stdout: "",
    async printed(pattern) {
      while (true) {
        const match = running.stdout.match(pattern);
        if (match) return match;
        const { done, value } = await reader.read();
        if (done) {
          throw new Error(`Ended before printing ${pattern}: ${running.stdout}${await stderr}`);
        }
        running.stdout += value;
      }
    },
    async stop(signal) {
      process.kill(signal);
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        running.stdout += read.value;
      }
      const { code } = await process.status;
      return { code, stdout: running.stdout, stderr: await stderr };
    },
  };
  return running;
}
