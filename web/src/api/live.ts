// SPDX-License-Identifier: Apache-2.0
// The page's one connection: a WebSocket that comes back by itself, plain GETs where it is refused.
import { followSink, type CatchUp } from '../site/delivery';
import { ask, Refused } from './ask';
import type { Alert, Battery } from './battery_shapes';
import type { CommandState, Device, Fault, Latest, Outbox, Session, Status } from './shapes';

export interface Timed<T> {
  at_ms: number; // of this page's monotonic clock, when it came in
  body: T;
}

export interface Live {
  session: Session | null;
  status: Timed<Status> | null;
  devices: Timed<Device[]> | null;
  readings: Map<string, Timed<Latest>>;
  outbox: Timed<Outbox> | null;
  faults: Timed<Fault[]> | null;
  battery: Timed<Battery[]> | null;
  alerts: Timed<Alert[]> | null;
  lacking: Set<string>; // what this gateway has no route for
  results: Map<string, CommandState>;
  catch_up: Map<string, CatchUp>;
  per_second: number | null; // readings of all devices
  lost: { since_unix_ms: number; retry_at_ms: number } | null;
}

type Message = { type: string } & Record<string, unknown>;

const items = <T>(message: Message): T[] => (message.items ?? []) as T[];

const poll_every_ms = 2000;
const first_wait_ms = 1000;
const longest_wait_ms = 15_000;
const optional = ['battery', 'alerts'];
const rate_over_ms = 10_000;
const results_kept = 50;

const silence_ms = 12_000; // the gateway tells its status every second

const now = (): number => performance.now();
const spread = (wait_ms: number): number => wait_ms * (0.8 + 0.4 * Math.random()); // not all pages at once

export class Connection {
  readonly live: Live = {
    session: null,
    status: null,
    devices: null,
    readings: new Map(),
    outbox: null,
    faults: null,
    battery: null,
    alerts: null,
    lacking: new Set(),
    results: new Map(),
    catch_up: new Map(),
    per_second: null,
    lost: null,
  };
  #changed: () => void;
  #socket: WebSocket | null = null;
  #wait_ms = first_wait_ms;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #socket_wait_ms = first_wait_ms;
  #socket_at_ms = 0; // not opened again before
  #heard_ms = 0;
  #counts: { at_ms: number; readings: number }[] = [];
  #running = false;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Asks who is there; goes on asking until the gateway answers. */
  async start(): Promise<void> {
    this.#running = true;
    try {
      this.live.session = await ask<Session>('session');
      this.#found();
    } catch (error) {
      if (error instanceof Refused) {
        this.live.session = { role: null, password_needed: error.status === 401 };
        this.#found();
      } else {
        this.#lost();
        this.#again(() => void this.start());
        return;
      }
    }
    if (!this.needsPassword()) {
      void this.#poll();
    }
    this.#changed();
  }

  needsPassword(): boolean {
    const session = this.live.session;
    return session !== null && session.password_needed && session.role === null;
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
  }

  /** The person does not want to wait for the next try. */
  tryNow(): void {
    this.stop();
    this.#wait_ms = first_wait_ms;
    this.#socket_at_ms = 0;
    void this.start();
  }

  /** The page is looked at again, or the network is back: what it shows may be old. */
  awake(): void {
    if (this.live.lost) {
      this.tryNow();
    } else if (this.#running && !this.needsPassword()) {
      void this.#poll();
    }
  }

  async signOut(): Promise<void> {
    await ask('session', { method: 'DELETE' });
    this.stop();
    await this.start();
  }

  #open(): void {
    const address = new URL('api/v1/events', location.href.split('#')[0]);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(address);
    this.#socket = socket;
    this.#heard_ms = now();
    socket.onmessage = (event) => {
      this.#heard_ms = now();
      this.#socket_wait_ms = first_wait_ms;
      this.#found();
      try {
        this.#take(JSON.parse(String(event.data)) as Message);
      } catch {
        // not a message of ours: the next one will be
      }
    };
    socket.onclose = () => {
      if (this.#socket !== socket || !this.#running) {
        return;
      }
      this.#socket = null;
      this.#socket_at_ms = now() + spread(this.#socket_wait_ms);
      this.#socket_wait_ms = Math.min(longest_wait_ms, this.#socket_wait_ms * 2);
      void this.#poll(); // tells whether only the socket or the whole gateway is gone
    };
  }

  /** A network that went away closes no socket: silence tells. */
  #listening(): boolean {
    if (this.#socket !== null && now() - this.#heard_ms > silence_ms) {
      const socket = this.#socket;
      this.#socket = null;
      this.#socket_at_ms = now();
      socket.close();
    }
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Everything once by GET; again and again as long as the socket does not tell it. */
  async #poll(): Promise<void> {
    clearTimeout(this.#timer);
    if (!this.#listening()) {
      await this.#getAll();
      if (!this.#running) {
        return;
      }
      if (!this.live.lost && this.#socket === null && now() >= this.#socket_at_ms) {
        this.#open();
      }
    }
    this.#again(() => void this.#poll());
  }

  async #getAll(): Promise<void> {
    try {
      const paths = ['status', 'devices', 'readings/latest', 'outbox', 'faults'];
      const answers = await Promise.all(paths.map((path) => ask<Record<string, unknown>>(path)));
      this.#found();
      answers.forEach((body, i) => {
        const path = paths[i]!;
        this.#take({ ...body, type: path === 'readings/latest' ? 'readings' : path });
      });
      await Promise.all(optional.map((path) => this.#getOptional(path)));
    } catch (error) {
      if (error instanceof Refused && error.status === 401) {
        this.stop();
        await this.start();
      } else if (!(error instanceof Refused)) {
        this.#lost();
      }
    }
  }

  /** A gateway without a battery need not know these routes. */
  async #getOptional(path: string): Promise<void> {
    try {
      const body = await ask<Record<string, unknown>>(path);
      this.live.lacking.delete(path);
      this.#take({ ...body, type: path });
    } catch (error) {
      if (!(error instanceof Refused) || error.status === 401) {
        throw error;
      }
      this.live.lacking.add(path);
      this.#changed();
    }
  }

  /** One of them again, at once: something was done that changes it. */
  refresh(path: 'battery' | 'alerts'): void {
    this.#getOptional(path).catch(() => undefined); // contact is judged by the turn that follows
  }

  #again(what: () => void): void {
    clearTimeout(this.#timer);
    let wait = poll_every_ms;
    if (this.live.lost) {
      wait = spread(this.#wait_ms);
      this.#wait_ms = Math.min(longest_wait_ms, this.#wait_ms * 2);
      this.live.lost.retry_at_ms = now() + wait;
      this.#changed();
    }
    this.#timer = setTimeout(what, wait);
  }

  #found(): void {
    this.#wait_ms = first_wait_ms;
    if (this.live.lost) {
      this.live.lost = null;
      this.#changed();
    }
  }

  #lost(): void {
    if (!this.live.lost) {
      this.live.lost = { since_unix_ms: Date.now(), retry_at_ms: now() };
      this.#changed();
    }
  }

  #take(message: Message): void {
    const live = this.live;
    const at_ms = now();
    switch (message.type) {
      case 'status':
        live.status = { at_ms, body: message as unknown as Status };
        break;
      case 'devices':
        live.devices = { at_ms, body: items<Device>(message) };
        this.#countReadings(live.devices.body, at_ms);
        break;
      case 'readings':
        for (const item of items<Latest>(message)) {
          live.readings.set(item.device, { at_ms, body: item });
        }
        break;
      case 'outbox': {
        const outbox = message as unknown as Outbox;
        live.outbox = { at_ms, body: outbox };
        for (const sink of outbox.sinks) {
          const followed = followSink(live.catch_up.get(sink.name), sink, at_ms);
          if (followed) {
            live.catch_up.set(sink.name, followed);
          } else {
            live.catch_up.delete(sink.name);
          }
        }
        break;
      }
      case 'faults':
        live.faults = { at_ms, body: items<Fault>(message) };
        break;
      case 'battery':
        live.battery = { at_ms, body: items<Battery>(message) };
        break;
      case 'alerts':
        live.alerts = { at_ms, body: items<Alert>(message) };
        break;
      case 'result':
        this.takeResult(message as unknown as CommandState);
        return;
      default:
        return; // of a later version
    }
    this.#changed();
  }

  takeResult(result: CommandState): void {
    this.live.results.set(result.id, result);
    if (this.live.results.size > results_kept) {
      this.live.results.delete(this.live.results.keys().next().value!);
    }
    this.#changed();
  }

  #countReadings(devices: Device[], at_ms: number): void {
    const readings = devices.reduce((sum, device) => sum + device.readings, 0);
    this.#counts = this.#counts.filter(
      (one) => at_ms - one.at_ms <= rate_over_ms && one.readings <= readings,
    );
    this.#counts.push({ at_ms, readings });
    const first = this.#counts[0]!;
    const seconds = (at_ms - first.at_ms) / 1000;
    if (seconds >= 2) {
      this.live.per_second = (readings - first.readings) / seconds;
    }
  }
}
