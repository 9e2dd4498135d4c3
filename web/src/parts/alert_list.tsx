// SPDX-License-Identifier: Apache-2.0
// Alerts as a list; one that nobody has seen has a button to say that it was.
import { useState } from 'preact/hooks';
import { ask, Refused } from '../api/ask';
import type { Alert } from '../api/battery_shapes';
import { elapsed, type Page } from '../context';
import { alertNumbers, alertSince, alertState, alertTitle } from '../site/alerts';
import { say } from '../text/say';
import { mayAct, whyNot } from './command';

const marks = { alarm: 'alarm', warning: 'warning', notice: 'stale' } as const;

/** What it is about, as people call it. */
function sourceTitle(page: Page, alert: Alert): string {
  const battery = page.live.battery?.body.find((one) => one.name === alert.source);
  const device = page.views.find((view) => view.device.name === alert.source);
  return battery?.title || device?.title || alert.source;
}

const Item = ({ page, alert }: { page: Page; alert: Alert }) => {
  const [said, setSaid] = useState('');
  const [busy, setBusy] = useState(false);
  const since_s = elapsed(page, page.live.alerts!.at_ms);
  const source = sourceTitle(page, alert);
  const time = alertSince(alert, since_s, page.now_ms);
  const title = alertTitle(alert, source, time);
  const off = busy || !mayAct(page);
  const over = alert.status === 'cleared';
  const acknowledge = async (): Promise<void> => {
    setBusy(true);
    try {
      await ask(`alerts/${encodeURIComponent(alert.id)}/acknowledge`, { method: 'POST' });
      page.toast(say('alert_toast'));
      page.connection.refresh('alerts');
    } catch (error) {
      setSaid(
        error instanceof Refused ? error.message || say('http_status', { status: error.status }) : say('command_lost'),
      );
    }
    setBusy(false);
  };
  return (
    <li class={over ? 'over' : ''} data-alert={alert.id} data-status={alert.status}>
      <i class={`dot ${over ? '' : marks[alert.severity]}`} aria-hidden="true" />
      <b>
        <span class="sr">{say(`severity_${alert.severity}`)}: </span>
        <span lang={title.ours ? undefined : 'en'}>{title.text}</span>
      </b>
      <span class="when">{time}</span>
      {(title.ours || alert.value !== null) && (
        <p>
          {alertNumbers(alert)} {title.ours && <span lang="en">{alert.text}</span>}
        </p>
      )}
      <div class="alert-foot">
        <span>
          {source && `${source}. `}
          {alertState(alert, since_s, page.now_ms)}
        </span>
        {alert.status === 'active' && (
          <button
            class="btn"
            aria-disabled={off}
            aria-label={say('alert_acknowledge_name', { text: title.text })}
            onClick={() => off || void acknowledge()}
          >
            {say('alert_acknowledge')}
          </button>
        )}
        <span role="status">
          {said || (alert.status === 'active' && !mayAct(page) && !page.offline ? whyNot(page) : '')}
        </span>
      </div>
    </li>
  );
};

export const AlertList = ({ page, alerts }: { page: Page; alerts: readonly Alert[] }) => (
  <ul class="list alerts">
    {alerts.map((alert) => (
      <Item key={alert.id} page={page} alert={alert} />
    ))}
  </ul>
);
