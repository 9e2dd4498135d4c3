// SPDX-License-Identifier: Apache-2.0
// Alerts: what went wrong, is it over, who has seen it.
import { useState } from 'preact/hooks';
import { ask, Refused } from '../api/ask';
import type { Page } from '../context';
import { AlertList } from '../parts/alert_list';
import { Choice } from '../parts/choice';
import { mayAct } from '../parts/command';
import { Confirm } from '../parts/confirm';
import { Bones, Empty, Sheet } from '../parts/sheet';
import { Status } from '../parts/status';
import { alertSummary, chosenAlerts, type AlertFilter } from '../site/alerts';
import { count } from '../text/formats';
import { say } from '../text/say';

const filters: AlertFilter[] = ['open', 'new', 'over', 'all'];

export const Alerts = ({ page }: { page: Page }) => {
  const [filter, setFilter] = useState<AlertFilter>('all');
  const [asking, setAsking] = useState(false);
  const [said, setSaid] = useState('');
  const alerts = page.live.alerts?.body;
  if (!alerts && page.live.lacking.has('alerts')) {
    return (
      <Status
        sentence={say('alerts_lacking')}
        which="lacking"
        lines={[{ mark: 'stale', text: say('alerts_lacking_what') }]}
        action={
          <a class="btn" href="#/faults">
            {say('open_faults')}
          </a>
        }
      />
    );
  }
  if (!alerts) {
    return (
      <>
        <Status sentence={say('status_loading')} which="loading" lines={[]} />
        <Sheet id="alerts" title={say('alerts')} busy>
          <Bones />
        </Sheet>
      </>
    );
  }
  const { which, sentence } = alertSummary(alerts);
  const over = chosenAlerts(alerts, 'over').length;
  const shown = chosenAlerts(alerts, filter);
  const fresh = alerts.find((alert) => alert.status === 'active');
  const off = !mayAct(page);
  const remove = (): void => {
    setAsking(false);
    ask('alerts', { method: 'DELETE' }).then(
      () => {
        page.toast(say('alerts_removed'));
        page.connection.refresh('alerts');
      },
      (error: unknown) =>
        setSaid(
          error instanceof Refused ? error.message || say('http_status', { status: error.status }) : say('command_lost'),
        ),
    );
  };
  return (
    <>
      <Status
        sentence={sentence}
        which={`alerts ${which}`}
        lines={[{ mark: fresh ? (fresh.severity === 'alarm' ? 'alarm' : 'warning') : 'ok', text: say('alerts_line') }]}
      />
      <Sheet
        id="alerts"
        title={say('alerts')}
        side={
          <Choice
            label={say('alerts_filter')}
            chosen={filter}
            choose={setFilter}
            choices={filters.map((value) => ({ value, text: say(`alerts_filter_${value}`) }))}
          />
        }
      >
        {shown.length > 0 ? (
          <AlertList page={page} alerts={shown} />
        ) : (
          <Empty title={say(`alerts_empty_${filter}`)}>
            {say(alerts.length === 0 ? 'alerts_empty_what' : 'alerts_empty_filter')}
          </Empty>
        )}
        {over > 0 && (
          <div class="acts below">
            <button class="btn" aria-disabled={off} onClick={() => off || setAsking(true)}>
              {say('alerts_remove')}
            </button>
            <span class="s dim" role="status">
              {said}
            </span>
          </div>
        )}
      </Sheet>
      {asking && (
        <Confirm
          id="remove"
          title={say('alerts_remove_title', { count: over, n: count(over) })}
          facts={[say('alerts_remove_fact'), say('alerts_remove_stay')]}
          action={say('alerts_remove')}
          act={remove}
          leave={() => setAsking(false)}
        />
      )}
    </>
  );
};
