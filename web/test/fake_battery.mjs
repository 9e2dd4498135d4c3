// SPDX-License-Identifier: Apache-2.0
// The battery of the fake gateway: a 16-cell pack or two, its limits, its inverter, in every state
// that a page must tell. A scene is a function from the ordinary battery to what is to be shown.

const cells = [
  3367, 3369, 3364, 3371, 3366, 3379, 3368, 3363, 3370, 3365, 3393, 3367, 3362, 3372, 3366, 3368,
];

const pack = (device, more = {}) => ({
  device,
  online: true,
  age_ms: 300,
  voltage_mv: 53900,
  current_ma: 40800,
  soc_permille: 782,
  soh_permille: 973,
  cells_mv: cells,
  balancing: cells.map((_, i) => i === 5 || i === 10),
  temperatures_mc: [24600, null],
  board_temperature_mc: 31200,
  activity: 'charging',
  cell_overvoltage_mv: 3650,
  cell_undervoltage_mv: 2800,
  cell_full_mv: 3500,
  cell_empty_mv: 3000,
  ...more,
});

const silent_pack = (device, age_ms) =>
  pack(device, { online: false, age_ms, ...(age_ms === null ? never_read : {}) });

const never_read = {
  voltage_mv: undefined,
  current_ma: undefined,
  soc_permille: undefined,
  soh_permille: undefined,
  cells_mv: [],
  balancing: [],
  temperatures_mc: [null, null],
  board_temperature_mc: null,
  activity: null,
};

const rule = (name, charge, discharge, why, more = {}) => ({
  rule: name,
  why,
  charge_current_ma: charge,
  discharge_current_ma: discharge,
  charge_voltage_mv: null,
  input: null,
  index: 0,
  pack: 0,
  ...more,
});

const owner = rule('owner', 100_000, 100_000, 'The owner allows at most 100.0 A of charging and 100.0 A of discharging.');
const rating = rule('bms_rating', 100_000, 100_000, 'The BMS is set to at most 100.0 A of charging and 100.0 A of discharging.');
const warm = rule('temperature', 100_000, 100_000, 'Sensor 1 is at 24.6 °C.', { input: 24600, index: 1 });
const fresh = rule('stale', 100_000, 100_000, '', { input: 300 });
const high = (mv, ma) =>
  rule('cell_high', ma, null, `Cell 11 is at ${(mv / 1000).toFixed(3)} V. From 3.375 V on, charging slows.`, {
    input: mv,
    index: 11,
  });

const nominal = () => ({
  name: 'battery',
  title: 'House battery',
  may_send: true,
  stage: 'bulk',
  age_ms: 300,
  limits: {
    charge_voltage_mv: 55200,
    charge_current_ma: 47_000,
    discharge_current_ma: 100_000,
    discharge_voltage_mv: 44800,
  },
  bounds: { charge_current_ma: 100_000, discharge_current_ma: 100_000 },
  charge_rule: 'cell_high',
  discharge_rule: 'owner',
  voltage_rule: 'charge_voltage',
  rules: [high(3393, 47_000), owner, rating, warm, fresh],
  ramps: {
    charge_by_cell: [[3375, 1000], [3400, 250], [3425, 50], [3450, 5], [3500, 0]],
    discharge_by_cell: [[2800, 0], [2900, 5], [3000, 50], [3100, 250], [3190, 1000]],
    charge_by_temperature: [[0, 0], [2000, 250], [5000, 500], [10000, 1000], [40000, 1000], [55000, 0]],
    discharge_by_soc: [[50, 100], [100, 1000]],
  },
  alarms: [
    { name: 'high_voltage', level: 'ok' },
    { name: 'contactor', level: 'unsupported' },
  ],
  measured: {
    voltage_mv: 53900,
    current_ma: 40800,
    power_w: 2199,
    soc_permille: 782,
    soh_permille: 973,
    temperature_mc: 24600,
    capacity_mah: 280_000,
    cell_minimum_mv: 3362,
    cell_maximum_mv: 3393,
    cell_minimum_id: 'C13',
    cell_maximum_id: 'C11',
  },
  packs: [pack('pack-1')],
  energy: { charge_wh: 1_234_500, discharge_wh: 1_187_600 },
  inverter: {
    profile: 'victron',
    title: 'Victron GX',
    bus: 'can',
    bus_state: 'active',
    heard_age_ms: 400,
    sent: 184_210,
    received: 14_400,
    dropped: 0,
    bus_offs: 0,
  },
});

const held = (battery, name, why, charge = 0, discharge = 0, more = {}) => ({
  ...battery,
  limits: { ...battery.limits, charge_current_ma: charge, discharge_current_ma: discharge },
  charge_rule: name,
  discharge_rule: name,
  rules: [rule(name, charge, discharge, why, more), owner, rating],
});

const flowing = (battery, current_ma) => ({
  ...battery,
  measured: {
    ...battery.measured,
    current_ma,
    power_w: Math.round((battery.measured.voltage_mv * current_ma) / 1e6),
  },
});

const silent_text = (s) =>
  `The BMS has been silent for ${s}.0 s; the current falls. Check its cable and power.`;

const scenes = {
  nominal: (b) => b,
  resting: (b) => flowing(b, 100),
  discharging: (b) => flowing(b, -32_400),
  free: (b) => ({
    ...flowing(b, -12_000),
    charge_rule: 'owner',
    limits: { ...b.limits, charge_current_ma: 100_000 },
    rules: [owner, rating, warm, fresh],
  }),
  over_limit: (b) => ({
    ...flowing(b, 12_000),
    limits: { ...b.limits, charge_current_ma: 0 },
    rules: [high(3520, 0), owner, rating],
    alarms: [{ name: 'high_voltage', level: 'alarm' }],
    packs: [pack('pack-1', { cells_mv: cells.map((mv, i) => (i === 10 ? 3520 : mv)) })],
  }),
  full: (b) => ({
    ...flowing(b, 0),
    stage: 'floating',
    packs: [pack('pack-1', { activity: 'full' })],
  }),
  stale: (b) => ({ ...held(b, 'stale', silent_text(14), 0, 0, { input: 14_000 }), age_ms: 14_000 }),
  silent: (b) => ({
    ...held(b, 'stale', silent_text(1680), 0, 22_000, { input: 1_680_000 }),
    age_ms: 1_680_000,
    measured: { capacity_mah: 280_000 },
    packs: [silent_pack('pack-1', 1_680_000)],
  }),
  never: (b) => ({
    ...held(b, 'not_ready', 'No complete reading yet. The BMS does not answer. Check its cable and power.'),
    may_send: false,
    limits: null,
    age_ms: null,
    measured: {},
    packs: [silent_pack('pack-1', null)],
  }),
  not_ready: (b) => ({
    ...held(b, 'not_ready', 'No complete reading yet. The BMS has not told what it is set to.'),
    may_send: false,
    limits: null,
  }),
  implausible: (b) =>
    held(b, 'implausible', 'The reading does not count. Cell 7 is read as 0.012 V; that cannot be. Check its sense wire.'),
  bms_fault: (b) => held(b, 'bms_fault', 'The BMS reports a fault: charging and discharging stop.'),
  inverter_silent: (b) => ({ ...b, inverter: { ...b.inverter, heard_age_ms: 95_000 } }),
  bus_off: (b) => ({ ...b, inverter: { ...b.inverter, bus_state: 'off', bus_offs: 3, dropped: 210 } }),
  no_inverter: (b) => ({ ...b, inverter: null }),
  disobedient: (b) => flowing(b, 58_000),
  two_packs: (b) => ({
    ...b,
    packs: [
      pack('pack-1'),
      pack('pack-2', { online: false, age_ms: 42_000, cells_mv: cells.slice(0, 15).map((mv) => mv - 12) }),
    ],
  }),
  four_cells: (b) => ({
    ...b,
    packs: [pack('pack-1', { cells_mv: [3331, 3340, null, 3325], balancing: [false, true, false, false] })],
  }),
};

/** The bodies of a battery; `lowered` is the temporary limit, as {ma, until} in Date.now(). */
export function batteryBody(scene, lowered) {
  const battery = (scenes[scene] ?? scenes.nominal)(nominal());
  const left_ms = lowered ? lowered.until - Date.now() : 0;
  if (left_ms > 0 && battery.limits) {
    const why = `A command allows for another ${(left_ms / 1000).toFixed(1)} s at most ${(lowered.ma / 1000).toFixed(1)} A of charging.`;
    battery.rules = [rule('remote', lowered.ma, null, why, { input: left_ms }), ...battery.rules];
    if (lowered.ma < battery.limits.charge_current_ma) {
      battery.limits = { ...battery.limits, charge_current_ma: lowered.ma };
      battery.charge_rule = 'remote';
    }
  }
  return battery;
}
