// SPDX-License-Identifier: Apache-2.0
// Devices: what is connected, what needs a look first.
import type { Page } from '../context';
import { DeviceTable } from '../parts/device_table';
import { Bones, Empty, Sheet } from '../parts/sheet';
import { Status } from '../parts/status';
import type { Line } from '../site/status';
import { count, decimal } from '../text/formats';
import { say } from '../text/say';

export const Devices = ({ page }: { page: Page }) => {
  const ready = page.live.devices !== null;
  const trouble = page.views.filter((view) => view.silent);
  const sorted = [...trouble, ...page.views.filter((view) => !view.silent)];
  const rate = page.live.per_second;
  const lines: Line[] =
    rate === null || page.views.length === 0
      ? []
      : [
          {
            mark: rate > 0 ? 'ok' : 'warning',
            text: say('devices_line', {
              count: Math.round(rate),
              n: rate < 9.95 ? decimal(rate, 1) : count(rate),
            }),
          },
        ];
  const sentence = !ready
    ? say('status_loading')
    : page.views.length === 0
      ? say('status_no_device')
      : trouble.length > 0
        ? say('devices_title_some', { count: trouble.length })
        : say('devices_title_ok', { count: page.views.length });
  return (
    <>
      <Status sentence={sentence} which={`devices ${trouble.length}`} lines={lines} />
      <Sheet id="devices" title={say('devices')} className="flush" busy={!ready}>
        {!ready ? (
          <Bones />
        ) : page.views.length === 0 ? (
          <Empty title={say('no_device')}>{say('no_device_what')}</Empty>
        ) : (
          <DeviceTable page={page} views={sorted} />
        )}
      </Sheet>
    </>
  );
};
