// SPDX-License-Identifier: Apache-2.0
// A gateway that is not there: serves dist and the REST and WebSocket shapes from a small model,
// so that every state of the pages can be shown. Tests set states through POST /fake.
//
//   node test/fake_server.mjs [port]      then open the printed address
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alertsBody, batteryBody, canBody, historyBody, parametersBody } from './fake_battery.mjs';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const policy = // as strict as the gateway's own
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; " +
  "frame-ancestors 'none'; require-trusted-types-for 'script'";

/** What a test can change; everything else follows from it and from the running time. */
const standard = () => ({
  devices: ['grid', 'roof', 'battery', 'heat', 'gas'],
  silent: {}, // device: seconds since
  starting: false,
  sun_w: 4860,
  house_w: 1140,
  battery_w: 2200,
  relay: 1,
  limit: 1000,
  relay_answer: 'executed', // or the code of a refusal; 'never' leaves it running
  relay_delay_ms: 400,
  sinks: [
    { name: 'hub', type: 'mqtt', endpoint: 'hub.stadtwerk-nord.example:8883' },
    { name: 'broker', type: 'mqtt', endpoint: 'broker.home:1883' },
  ],
  behind: null, // name of the sink that does not answer
  behind_start: 4812,
  drain_per_s: 600,
  faults: [],
  password: null,
  may_act: true, // false: as a gateway without a password, which only shows
  clock: true,
  down: false,
  socket: true,
  gap: false,
  scenes: [], // of the batteries, see fake_battery.mjs; empty: a gateway without one
  lower_s: 60,
  alerts: [], // ids of those in fake_battery.mjs; null: a gateway that keeps none
  history: true,
  steady: false, // no noise: for pictures that do not change
});

const titles = {
  grid: 'Grid meter',
  roof: 'Inverter',
  battery: 'Battery',
  heat: 'Heat pump',
  gas: 'Gas meter',
  'pack-1': 'Pack 1',
  'pack-2': 'Pack 2',
};

const identities = {
  grid: ['p1', 'p1', 'serial', '/dev/ttyUSB1', 'Landis+Gyr', 'E360', '5', '4530303439', 1000],
  roof: ['sunspec', 'pv-lan', 'modbus_tcp', '192.168.1.41:502 unit 1', 'Fronius', 'Symo 10.0-3-M', '3.27.1', '34119102', 2000],
  battery: ['sunspec', 'pv-lan', 'modbus_tcp', '192.168.1.42:502 unit 1', 'Jouletec', 'Rack 14', '2.4', 'JT-0412', 1000],
  heat: ['demo_meter', 'rs485', 'modbus_rtu', '/dev/ttyUSB0 unit 4', '', '', '1.2', '', 2000],
  gas: ['p1', 'p1', 'serial', '/dev/ttyUSB1 channel 1', 'Itron', 'G4', '', '', 1000],
  'pack-1': ['tinybms', 'bms', 'serial', '/dev/ttyUSB2', 'Enepaq', 'TinyBMS s516', '2.1', '00A1', 250],
  'pack-2': ['tinybms', 'bms-2', 'serial', '/dev/ttyUSB3', 'Enepaq', 'TinyBMS s516', '2.1', '00A2', 250],
};

const settable = {
  heat: [{ name: 'relay_closed', least: 0, most: 1 }],
  roof: [
    { name: 'power_limit_permille', least: 0, most: 1000 },
    { name: 'power_limit_enabled', least: 0, most: 1 },
  ],
};

function random(seed) {
  let state = seed;
  return () => (state = (state * 1664525 + 1013904223) % 4294967296) / 4294967296;
}

export class FakeGateway {
  state = standard();
  #started = Date.now();
  #sockets = new Set();
  #commands = new Map();
  #backlog = 0;
  #caught_at = 0;
  #next = 1;
  #lowered = null;
  #written = {};
  #seen = new Set();
  #removed = false;
  #server = createServer((request, answer) => void this.#serve(request, answer));
  #timer;

  async listen(port = 0) {
    this.#server.on('upgrade', (request, socket) => this.#upgrade(request, socket));
    await new Promise((done) => this.#server.listen(port, '127.0.0.1', done));
    this.#timer = setInterval(() => this.#tell(), 1000);
    return `http://127.0.0.1:${this.#server.address().port}/`;
  }

  close() {
    clearInterval(this.#timer);
    this.#drop();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Back to the beginning, changed by `change`. */
  set(change = {}, fresh = true) {
    const before = this.state;
    this.state = { ...(fresh ? standard() : before), ...change };
    if (fresh) {
      this.#lowered = null;
      this.#written = {};
      this.#seen.clear();
      this.#removed = false;
    }
    if (this.state.behind && this.state.behind !== before.behind) {
      this.#backlog = this.state.behind_start;
    }
    if (before.behind && !this.state.behind) {
      this.#caught_at = fresh ? 0 : Date.now();
    }
    if (this.state.down || !this.state.socket) {
      this.#drop();
    } else {
      this.#tell();
    }
  }

  #drop() {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    this.#sockets.clear();
  }

  #seconds() {
    return this.state.steady ? 7214 : (Date.now() - this.#started) / 1000 + 7200;
  }

  #noise(size) {
    return this.state.steady ? 0 : Math.round((Math.random() - 0.5) * size);
  }

  // bodies

  status() {
    const outbox = this.outbox();
    return {
      gateway: 'gw-lindenweg',
      site: 'lindenweg-12',
      version: '0.1.0',
      time: this.state.clock ? Date.now() : null,
      up_s: Math.round(this.#seconds()),
      devices: { total: this.state.devices.length, online: 0, asleep: 0, refusing: 0, starting: 0 },
      delivery: {
        waiting: Math.max(0, ...outbox.sinks.map((sink) => sink.waiting)),
        oldest_age_s: null,
        last_confirmed_age_s: 2,
      },
      faults: this.state.faults.length,
    };
  }

  devices() {
    return {
      items: this.state.devices.map((name) => {
        const [driver, bus, bus_type, address, maker, model, version, serial, poll_ms] =
          identities[name];
        const silent = this.state.silent[name];
        return {
          name,
          title: titles[name],
          driver,
          bus,
          bus_type,
          address,
          maker,
          model,
          version,
          serial,
          state: this.state.starting ? 'starting' : silent !== undefined ? 'asleep' : 'online',
          poll_ms,
          keep_ms: 60000,
          last_reading_age_ms: this.state.starting ? null : silent !== undefined ? silent * 1000 : 300,
          readings: Math.round((7200_000 + Date.now() - this.#started) / poll_ms),
          errors: silent !== undefined ? 14 : 0,
          settable: settable[name] ?? [],
        };
      }),
    };
  }

  #values(name) {
    const s = this.state;
    const n = () => this.#noise(60);
    switch (name) {
      case 'grid': {
        const power = s.house_w + s.battery_w - s.sun_w;
        return {
          power_w: power + n(),
          power_l1_w: Math.round(power * 0.5),
          power_l2_w: Math.round(power * 0.3),
          power_l3_w: Math.round(power * 0.2),
          voltage_l1_mv: 231400 + this.#noise(800),
          voltage_l2_mv: 230100,
          voltage_l3_mv: 232000,
          current_l1_ma: Math.round((Math.abs(power) * 500) / 231),
          current_l2_ma: Math.round((Math.abs(power) * 300) / 231),
          current_l3_ma: Math.round((Math.abs(power) * 200) / 231),
          energy_import_t1_wh: 4321087,
          energy_import_t2_wh: 3876120,
          energy_export_t1_wh: 1210430,
          energy_export_t2_wh: 2988001,
          tariff: 2,
          power_failure_count: 4,
        };
      }
      case 'roof':
        return {
          power_w: s.sun_w + n(),
          voltage_l1_mv: 231900,
          frequency_mhz: 49980 + this.#noise(40),
          energy_production_wh: 18442190,
          dc_power_s1_w: Math.round(s.sun_w * 0.55),
          dc_power_s2_w: Math.round(s.sun_w * 0.47),
          dc_voltage_s1_mv: 612400,
          dc_voltage_s2_mv: 588200,
          temperature_mc: 41300,
          operating_state: 4,
          power_limit_permille: s.limit,
          power_limit_enabled: 0,
          rated_power_w: 10000,
        };
      case 'battery':
        return {
          power_w: s.battery_w + n(),
          soc_permille: 782,
          soh_permille: 973,
          capacity_wh: 14336,
          voltage_mv: 53900,
          current_ma: Math.round((s.battery_w * 1000) / 53.9),
          temperature_mc: 24600,
          cycle_count: 214,
        };
      case 'heat':
        return {
          power_w: s.relay ? 612 + this.#noise(20) : 0,
          energy_wh: 3812440,
          voltage_mv: 230800,
          relay_closed: s.relay,
        };
      default:
        return { gas_volume_l: 2514880 };
    }
  }

  readings() {
    return {
      time: this.state.clock ? Date.now() : null,
      items: this.state.starting
        ? []
        : this.state.devices.map((name) => {
            const silent = this.state.silent[name];
            const age_ms = silent === undefined ? 300 : silent * 1000;
            return {
              device: name,
              age_ms,
              values: Object.entries(this.#values(name)).map(([key, value]) => {
                const index = /_[lst](\d)_/.exec(key);
                return {
                  name: key,
                  quantity: key.replace(/_[lst]\d(?=_)/, ''),
                  index: index ? Number(index[1]) : 0,
                  value,
                  age_ms,
                  stale: silent !== undefined && silent > 10,
                };
              }),
            };
          }),
    };
  }

  recent(device, name) {
    const now = this.#values(device)?.[name];
    if (now === undefined) {
      return null;
    }
    const noise = random(name.length * 77 + device.length);
    const gauge = /power|current|relay/.test(name);
    const values = Array.from({ length: 360 }, (_, i) => {
      if (i < 24 || (this.state.gap && i > 150 && i < 210)) {
        return null;
      }
      const t = i / 360;
      if (name === 'relay_closed') {
        return i % 140 < 90 ? 1 : 0;
      }
      if (device === 'heat' && name === 'power_w') {
        return i % 140 < 90 ? 600 + Math.round(noise() * 60) : 0;
      }
      if (/_(wh|l)$/.test(name)) {
        return now - Math.round((1 - t) * 4000);
      }
      const wave = 0.75 + 0.25 * t + 0.12 * Math.sin(t * 23) + 0.05 * (noise() - 0.5);
      return Math.round(gauge ? now * wave : now * (1 + 0.004 * (wave - 1)));
    });
    const silent = this.state.silent[device];
    if (silent !== undefined) {
      values.fill(null, Math.max(0, 360 - Math.round(silent / 10)));
    }
    return { device, name, step_s: 10, to: this.state.clock ? Date.now() : null, values };
  }

  outbox() {
    const s = this.state;
    const seq = 1842331 + Math.round(this.#seconds());
    const since = (Date.now() - this.#caught_at) / 1000;
    const left = this.#caught_at ? Math.max(0, Math.round(this.#backlog - since * s.drain_per_s)) : 0;
    return {
      epoch: '9f3ac1d27b60e481',
      boot: 12,
      storage: {
        bytes_max: 512000000,
        bytes_used: 640000 + 210 * (s.behind ? this.#backlog : left),
        bytes_written: 18240000000,
      },
      keep_every: 1,
      classes: ['alarm', 'result', 'billing', 'telemetry'].map((name, i) => ({
        class: name,
        appended_to: [14, 7, 2210, seq][i],
        accepted_to: [14, 7, 2210, seq][i],
        rejected: 0,
        dropped: 0,
        expired: 0,
        damaged: 0,
        thinned: 0,
      })),
      sinks: s.sinks.map((sink, i) => {
        const behind = s.behind === sink.name;
        const catching = !behind && i === s.sinks.length - 1 && left > 0;
        return {
          ...sink,
          state: behind ? 'waiting' : 'connected',
          waiting: behind ? this.#backlog : catching ? left : 18 - 3 * i,
          oldest_age_s: behind ? 1274 : catching ? 600 : 2,
          confirmed_to: [14, 7, 2210, seq - (behind ? this.#backlog : catching ? left : 2)],
          durable_to: null,
          last_confirmed_age_s: behind ? 1270 : 2 + i,
          retry_in_s: behind ? 40 : null,
          reason: behind ? 'the name broker.home is not found' : null,
          sent_bytes: 182400000,
          in_flight: behind ? 0 : 3,
        };
      }),
    };
  }

  faults() {
    return { items: this.state.faults };
  }

  alerts() {
    return alertsBody(this.state.alerts ?? [], this.#seen, this.#removed);
  }

  battery() {
    return {
      items: this.state.scenes.map((scene, i) => ({
        ...batteryBody(scene, this.#lowered),
        ...(i > 0 ? { name: `battery-${i + 1}`, title: `Battery ${i + 1}` } : {}),
      })),
    };
  }

  #body(type) {
    return { type, ...this[type]() };
  }

  // HTTP

  async #serve(request, answer) {
    const url = new URL(request.url, 'http://fake');
    if (url.pathname === '/fake' && request.method === 'POST') {
      const { fresh = true, ...change } = JSON.parse((await read(request)) || '{}');
      this.set(change, fresh);
      answer.writeHead(204).end();
      return;
    }
    if (this.state.down) {
      request.socket.destroy();
      return;
    }
    if (url.pathname.startsWith('/api/')) {
      await this.#api(request, answer, url);
      return;
    }
    const path = url.pathname === '/' ? '/index.html' : normalize(url.pathname);
    try {
      const body = await readFile(join(dist, path));
      answer.writeHead(200, {
        'Content-Type': types[extname(path)] ?? 'application/octet-stream',
        'Content-Security-Policy': policy,
        'X-Content-Type-Options': 'nosniff',
      });
      answer.end(body);
    } catch {
      answer.writeHead(404, { 'Content-Type': 'text/plain' }).end('not found\n');
    }
  }

  #allowed(request) {
    return this.state.password === null || /session=good/.test(request.headers.cookie ?? '');
  }

  async #api(request, answer, url) {
    const json = (status, body, headers = {}) => {
      const type = status >= 400 ? 'application/problem+json' : 'application/json';
      answer.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store', ...headers });
      answer.end(JSON.stringify(body));
    };
    const path = url.pathname.replace('/api/v1/', '');
    if (path === 'session') {
      if (request.method === 'POST') {
        const { password } = JSON.parse(await read(request));
        if (password === this.state.password) {
          answer.writeHead(204, { 'Set-Cookie': 'session=good; Path=/; HttpOnly; SameSite=Strict' });
          answer.end();
        } else {
          json(401, { title: 'wrong password', status: 401 });
        }
      } else if (request.method === 'DELETE') {
        answer.writeHead(204, { 'Set-Cookie': 'session=; Path=/; Max-Age=0' }).end();
      } else {
        const needed = this.state.password !== null;
        const role = this.#allowed(request) && this.state.may_act ? 'owner' : null;
        json(200, { role, password_needed: needed });
      }
      return;
    }
    if (!this.#allowed(request)) {
      json(401, { title: 'sign in first', status: 401 });
      return;
    }
    if (path === 'commands' && request.method === 'POST') {
      this.#command(JSON.parse(await read(request)), json);
      return;
    }
    if (path.startsWith('commands/')) {
      const command = this.#commands.get(decodeURIComponent(path.slice(9)));
      command ? json(200, command) : json(404, { title: 'no such command', status: 404 });
      return;
    }
    const seen = /^alerts\/(\d+)\/acknowledge$/.exec(path);
    if ((seen && request.method === 'POST') || (path === 'alerts' && request.method === 'DELETE')) {
      seen ? this.#seen.add(Number(seen[1])) : (this.#removed = true);
      answer.writeHead(204).end();
      this.#tell();
      return;
    }
    const recent =
      path === 'readings/recent' &&
      this.recent(url.searchParams.get('device'), url.searchParams.get('name'));
    const bodies = {
      status: () => this.status(),
      devices: () => this.devices(),
      outbox: () => this.outbox(),
      faults: () => this.faults(),
      battery: () => this.battery(),
      alerts: () => this.state.alerts && this.alerts(),
      history: () => this.#history(url.searchParams, answer),
      'readings/latest': () => this.readings(),
    };
    const body = bodies[path]?.() ?? this.#deeper(path) ?? recent;
    if (answer.headersSent) {
      return;
    }
    body ? json(200, body) : json(404, { title: 'not found', detail: `no ${path}`, status: 404 });
  }

  #history(query, answer) {
    if (!this.state.history) {
      return null;
    }
    const number = (key, otherwise) => Number(query.get(key) ?? otherwise);
    const [from, to] = [number('from', Date.now() - 86_400_000), number('to', Date.now())];
    const body = historyBody(query.get('device'), query.get('name'), from, to, number('points', 300));
    if (query.get('format') === 'csv') {
      answer.writeHead(200, { 'Content-Type': 'text/csv' });
      answer.end(['time,mean,min,max', ...body.points.map((row) => row.join())].join('\r\n'));
    }
    return body;
  }

  /** Routes with a name in them. */
  #deeper(path) {
    const [first, name, what] = path.split('/').map(decodeURIComponent);
    const battery = this.battery().items.find((one) => one.name === name);
    if (first === 'devices' && what === 'parameters') {
      return /^pack-/.test(name) ? parametersBody(this.#written) : null;
    }
    return first === 'battery' && what === 'can' && battery ? canBody(battery, this.#seconds()) : null;
  }

  #command(body, json) {
    const id = `c${this.#next++}`;
    const command = { id, target: body.target, state: 'running', code: null, text: '', value: null };
    this.#commands.set(id, command);
    json(202, { id });
    const code = body.action === 'read' ? 'executed' : this.state.relay_answer;
    if (code === 'never') {
      return;
    }
    setTimeout(() => {
      const value = body.quantity === 'relay_closed' && code !== 'executed' ? this.state.relay : body.value;
      if (code === 'executed' && body.quantity === 'relay_closed') {
        this.state.relay = body.value;
      }
      if (code === 'executed' && /^pack-/.test(body.target)) {
        this.#written[body.quantity] = body.value;
      }
      if (code === 'executed' && body.quantity === 'charge_current_limit_ma') {
        this.#lowered = { ma: body.value, until: Date.now() + 1000 * this.state.lower_s };
        this.#tell();
      }
      if (code === 'executed' && body.quantity === 'power_limit_permille') {
        this.state.limit = body.value;
      }
      Object.assign(command, { state: 'done', code, value: value ?? null });
      this.#send({ type: 'result', ...command });
    }, this.state.relay_delay_ms);
  }

  // WebSocket, as far as a server that only talks needs it

  #upgrade(request, socket) {
    if (this.state.down || !this.state.socket || !this.#allowed(request)) {
      socket.destroy();
      return;
    }
    const key = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`,
    );
    socket.on('error', () => this.#sockets.delete(socket));
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (data) => (data[0] & 15) === 8 && socket.end());
    this.#sockets.add(socket);
    this.#tell();
  }

  #tell() {
    const kept = this.state.alerts ? ['alerts'] : [];
    for (const type of ['status', 'devices', 'readings', 'outbox', 'faults', 'battery', ...kept]) {
      this.#send(this.#body(type));
    }
  }

  #send(message) {
    const text = Buffer.from(JSON.stringify(message));
    const head =
      text.length < 126
        ? Buffer.from([0x81, text.length])
        : Buffer.from([0x81, 126, text.length >> 8, text.length & 255]); // up to 64 KB
    for (const socket of this.#sockets) {
      socket.write(Buffer.concat([head, text]));
    }
  }
}

async function read(request) {
  let text = '';
  for await (const part of request) {
    text += part;
  }
  return text;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const fake = new FakeGateway();
  console.log(await fake.listen(Number(process.argv[2] ?? 5080)));
}
