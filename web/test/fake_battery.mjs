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
    title: 'Victron GX and whoever speaks CAN-bus BMS',
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

const signal = (name, unit, value) => ({ name, unit, value });

/** What stands on the line of a battery that tells these limits. */
export function canBody(battery, counts) {
  const { inverter, limits, measured } = battery;
  if (!inverter) {
    return { items: [] };
  }
  const frame = (id, name, from, interval_ms, data, signals, more = {}) => ({
    id,
    name,
    from,
    known: name !== null,
    count: Math.round((counts * 1000) / interval_ms),
    age_ms: 400,
    interval_ms,
    data,
    signals,
    ...more,
  });
  const heard = inverter.heard_age_ms ?? 400;
  return {
    items: [
      frame('351', 'limits', 'battery', 1002, '2802D601E803C001', [
        signal('charge_voltage_mv', 'mV', limits?.charge_voltage_mv ?? null),
        signal('charge_current_ma', 'mA', limits?.charge_current_ma ?? null),
        signal('discharge_current_ma', 'mA', limits?.discharge_current_ma ?? null),
        signal('discharge_voltage_mv', 'mV', limits?.discharge_voltage_mv ?? null),
      ]),
      frame('355', 'charge', 'battery', 1002, '4E0061008C1E', [
        signal('soc_permyriad', '0.01 %', (measured.soc_permille ?? 0) * 10),
        signal('soh_permille', '0.1 %', measured.soh_permille ?? null),
      ]),
      frame('35A', 'alarms', 'battery', 1001, 'A8AA8202A8AA8202', [
        signal('high_voltage', '', 'ok'),
        signal('contactor', '', 'unsupported'),
        signal('cell_imbalance', '', 'warning'),
      ]),
      frame('35E', 'manufacturer', 'battery', 2003, '4A6F756C65776179', [signal('manufacturer', '', 'Jouleway')]),
      frame('305', 'keep_alive', 'inverter', 1000, '0000000000000000', [], { age_ms: heard }),
      frame('4A2', null, 'inverter', 5000, 'DEADBEEF01', [], { age_ms: heard }),
    ],
  };
}

const parameters = [
  ['cell_full_voltage', 'mV', 0, 1200, 4500, 3500],
  ['cell_empty_voltage', 'mV', 0, 1000, 3500, 3000],
  ['early_balancing_voltage', 'mV', 0, 1000, 4500, 3400],
  ['over_voltage_cutoff', 'mV', 0, 1200, 4500, 3650],
  ['under_voltage_cutoff', 'mV', 0, 800, 3500, 2800],
  ['series_cells', '', 0, 4, 16, 16],
  ['capacity', 'Ah', 2, 10, 65500, 28000],
  ['charge_current_cutoff', 'A', 0, 1, 750, 100],
  ['low_temperature_charge_cutoff', 'degC', 0, -40, 10, 2],
  ['set_state_of_charge', '%', 3, 0, 100000, null],
  ['load_switch_type', '', 0, 0, 8, 2],
  ['odd_register', '', 0, 0, 9, 4],
  ['restart', '', 0, 1, 1, null],
];

/** The settings that a pack keeps itself; `written` are those that were changed since. */
export const parametersBody = (written) => ({
  items: parameters.map(([name, unit, decimals, least, most, value]) => ({
    name,
    unit,
    decimals,
    writable: name !== 'series_cells',
    least,
    most,
    value: written[name] ?? value,
  })),
});

/** Alerts of a battery, newest first; `seen` and `removed` are what was done since. */
export function alertsBody(kept, seen, removed) {
  const alert = (id, kind, severity, status, since_age_s, text, more = {}) => ({
    id,
    source: 'battery',
    kind,
    severity,
    text,
    status: status === 'active' && seen.has(id) ? 'acknowledged' : status,
    since: Date.now() - since_age_s * 1000,
    since_age_s,
    cleared_age_s: null,
    acknowledged_by: seen.has(id) ? 'owner' : null,
    value: null,
    threshold: null,
    unit: '',
    ...more,
  });
  const items = [
    alert(23, 'value_beyond', 'alarm', 'active', 720, 'The highest cell is above its bound.', {
      value: 3520,
      threshold: 3450,
      unit: 'mV',
    }),
    alert(22, 'device_silent', 'warning', 'acknowledged', 5400, 'It sent nothing for 4 s.', {
      source: 'pack-1',
      acknowledged_by: 'owner',
    }),
    alert(21, 'value_beyond', 'warning', 'cleared', 200_000, 'The charge is below its bound.', {
      cleared_age_s: 190_000,
      value: 95,
      threshold: 100,
      unit: 'permille',
    }),
  ];
  return { items: items.filter((one) => kept.includes(one.id) && !(removed && one.status === 'cleared')) };
}

/** A history with a night, a day, and a gap. */
export function historyBody(device, name, from, to, points) {
  const step_ms = Math.max(10_000, Math.round((to - from) / points));
  const row = [];
  for (let i = 0; i <= points; i++) {
    const at = Math.round(from + i * step_ms);
    const day = ((at / 3_600_000 + 6) % 24) / 24;
    const sun = Math.max(0, Math.sin(2 * Math.PI * day));
    const mean = name === 'soc_permille' ? Math.round(550 - 260 * Math.cos(2 * Math.PI * day)) : Math.round(sun * 42_000 - 7_000);
    const width = name === 'soc_permille' ? 4 : 3000;
    if (i < points * 0.4 || i > points * 0.45) {
      row.push([at, mean, mean - width, mean + width]);
    }
  }
  return { device, name, unit: name.endsWith('_ma') ? 'mA' : 'permille', step_s: to - from > 2 * 86_400_000 ? 900 : 10, points: row };
}
