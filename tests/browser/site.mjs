// SPDX-License-Identifier: Apache-2.0
// A real site for the browser: simulated devices, a broker and the gateway, each a process that
// can be taken away and brought back.
import { spawn } from 'node:child_process';
import { randomBytes, scryptSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const built = fileURLToPath(new URL('../../build/release/apps/', import.meta.url));
export const jouleway = process.env.JOULEWAY ?? `${built}jouleway/jouleway`;
export const joulectl = process.env.JOULECTL ?? `${built}joulectl/joulectl`;

/** What is not built; empty where all is there. */
export const missing = [jouleway, joulectl].filter((file) => !existsSync(file));

const patience_ms = 20_000;

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

const connects = (port) =>
  new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => done(true)).on('error', () => done(false));
    socket.unref();
    setTimeout(() => socket.destroy(), 1000).unref();
  });

/** Waits until something holds; polling is all one can do from outside of a process. */
async function holds(what, check) {
  const ends = Date.now() + patience_ms;
  while (!(await check())) {
    if (Date.now() > ends) {
      throw new Error(`no ${what} within ${patience_ms / 1000} s`);
    }
    await new Promise((done) => setTimeout(done, 50));
  }
}

function hashed(password) {
  const salt = randomBytes(16);
  const key = scryptSync(password, salt, 32, { N: 1 << 15, r: 8, p: 1, maxmem: 1 << 26 });
  const text = (bytes) => bytes.toString('base64').replace(/=+$/, '');
  return `$scrypt$ln=15,r=8,p=1$${text(salt)}$${text(key)}`;
}

export class Site {
  #folder;
  #processes = new Map();
  #commands = new Map();
  url = '';
  password = 'lindenweg';

  async start() {
    this.#folder = await mkdtemp(join(tmpdir(), 'jouleway-browser-'));
    const [broker, grid, roof, workshop, web] = await Promise.all(
      Array.from({ length: 5 }, freePort),
    );
    const conf = join(this.#folder, 'mosquitto.conf');
    const user = process.getuid() === 0 ? 'user root\n' : '';
    await writeFile(
      conf,
      `${user}listener ${broker} 127.0.0.1\nallow_anonymous true\npersistence false\n`,
    );
    this.#commands.set('broker', [broker, 'mosquitto', '-c', conf]);
    this.#commands.set('grid', [grid, joulectl, 'sim', 'p1', '--tcp', String(grid)]);
    this.#commands.set('roof', [roof, joulectl, 'sim', 'sunspec', '--tcp', String(roof)]);
    const meter = [workshop, joulectl, 'sim', 'demo_meter', '--tcp', String(workshop)];
    this.#commands.set('workshop', meter);
    const settings = join(this.#folder, 'jouleway.json');
    const modbus = (name, port) => ({ name, type: 'modbus_tcp', host: '127.0.0.1', port });
    const device = (name, driver, title) => {
      return { name, driver, bus: `${name}-line`, title, poll_s: 1, keep_s: 1 };
    };
    await writeFile(
      settings,
      JSON.stringify({
        gateway: 'gw-browser',
        site: 'lindenweg-12',
        storage: { path: join(this.#folder, 'store'), size_mb: 16, commit_s: 1 },
        buses: [
          { name: 'grid-line', type: 'tcp', host: '127.0.0.1', port: grid },
          modbus('roof-line', roof),
          modbus('workshop-line', workshop),
        ],
        devices: [
          device('grid', 'p1', 'Grid meter'),
          device('roof', 'sunspec', 'Roof'),
          device('workshop', 'demo_meter', 'Workshop'),
        ],
        sinks: [{ name: 'broker', type: 'mqtt', host: '127.0.0.1', port: broker }],
        web: { listen: `127.0.0.1:${web}`, password_scrypt: hashed(this.password) },
      }),
      { mode: 0o600 },
    );
    this.#commands.set('gateway', [web, jouleway, '--config', settings]);
    for (const name of this.#commands.keys()) {
      await this.bring(name);
    }
    // In its place, when asked for: a meter that answers every question with exception 4.
    this.#commands.set('odd workshop', [...meter, '--exception', '4']);
    this.url = `http://127.0.0.1:${web}/`;
  }

  /** Starts one of the processes, and waits until its port answers. */
  async bring(name) {
    const [port, program, ...more] = this.#commands.get(name);
    const child = spawn(program, more, {
      stdio: 'ignore',
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    });
    const failed = new Promise((_, fail) => {
      child.on('error', fail);
      child.on('exit', (code) => fail(new Error(`${name} ended with ${code}`)));
    });
    failed.catch(() => undefined); // an end that was wanted is no failure
    this.#processes.set(name, child);
    await Promise.race([holds(`answer of ${name}`, () => connects(port)), failed]);
  }

  /** Ends one of the processes as a power cut would. */
  async take(name) {
    const child = this.#processes.get(name);
    this.#processes.delete(name);
    if (child && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((done) => child.once('exit', done));
      child.kill('SIGKILL');
      await gone;
    }
  }

  async stop() {
    for (const name of [...this.#processes.keys()].reverse()) {
      await this.take(name);
    }
    if (this.#folder) {
      await rm(this.#folder, { recursive: true, force: true });
    }
  }
}
