// SPDX-License-Identifier: Apache-2.0
// What the gateway's REST routes and its WebSocket say, field by field.

export interface Status {
  gateway: string;
  site: string;
  version: string;
  time: number | null; // Unix milliseconds; null while the clock is not set
  up_s: number;
  devices: { total: number; online: number; asleep: number; refusing: number; starting: number };
  delivery: { waiting: number; oldest_age_s: number | null; last_confirmed_age_s: number | null };
  faults: number;
}

export type DeviceState = 'starting' | 'online' | 'asleep' | 'refusing';

export interface Settable {
  name: string;
  least: number;
  most: number;
}

export interface Device {
  name: string;
  title: string;
  driver: string;
  bus: string;
  bus_type: string;
  address: string;
  maker: string;
  model: string;
  version: string;
  serial: string;
  state: DeviceState;
  poll_ms: number;
  keep_ms: number;
  last_reading_age_ms: number | null;
  readings: number;
  errors: number;
  settable: Settable[];
}

export interface Value {
  name: string;
  quantity: string;
  index: number;
  value: number | null;
  age_ms: number;
  stale: boolean;
}

export interface Latest {
  device: string;
  age_ms: number | null;
  values: Value[];
}

export interface Recent {
  device: string;
  name: string;
  step_s: number;
  to: number | null; // Unix milliseconds of the last value
  values: (number | null)[];
}

export type SinkState = 'connected' | 'connecting' | 'waiting' | 'off';

export interface Sink {
  name: string;
  type: string;
  endpoint: string;
  state: SinkState;
  waiting: number;
  oldest_age_s: number | null;
  confirmed_to: number[];
  durable_to: number[] | null;
  last_confirmed_age_s: number | null;
  retry_in_s: number | null;
  reason: string | null;
  sent_bytes: number;
  in_flight: number;
}

export interface OutboxClass {
  class: string;
  appended_to: number;
  accepted_to: number;
  rejected: number;
  dropped: number;
  expired: number;
  damaged: number;
  thinned: number;
}

export interface Outbox {
  epoch: string;
  boot: number;
  storage: { bytes_max: number; bytes_used: number; bytes_written: number };
  keep_every: number;
  classes: OutboxClass[];
  sinks: Sink[];
}

export type Severity = 'notice' | 'warning' | 'alarm';

export interface Fault {
  source: string; // a device, a sink, or empty for the gateway itself
  kind: string;
  severity: Severity;
  text: string;
  raised: boolean;
  since_age_s: number;
}

export interface CommandState {
  id: string;
  target: string;
  state: 'running' | 'done';
  code: string | null;
  text: string;
  value: number | null;
}

export interface Session {
  role: string | null;
  password_needed: boolean;
}

export interface Problem {
  title?: string;
  detail?: string;
  status?: number;
}
