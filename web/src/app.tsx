// SPDX-License-Identifier: Apache-2.0
// The frame around every page: the way to the pages, the line when contact is lost, the toast.
import { Component, type ComponentChildren } from 'preact';
import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import { Connection } from './api/live';
import type { Page } from './context';
import { elapsed } from './context';
import { Alerts } from './pages/alerts';
import { Battery, titleOf } from './pages/battery';
import { Can } from './pages/can';
import { Delivery } from './pages/delivery';
import { Device } from './pages/device';
import { Devices } from './pages/devices';
import { Faults } from './pages/faults';
import { Home } from './pages/home';
import { BatteryRegisters, Registers } from './pages/registers';
import { SignIn } from './pages/sign_in';
import { Icon, Logo, type IconName } from './parts/icon';
import { faultTitle } from './parts/notes';
import { Shortcuts } from './parts/shortcuts';
import { Status } from './parts/status';
import { retryText } from './site/status';
import { viewOf } from './site/view';
import { age, clock } from './text/formats';
import { say } from './text/say';

type PageKey = 'page_home' | 'page_battery' | 'page_devices' | 'page_delivery' | 'page_faults';
const pages: { at: string; icon: IconName; key: PageKey }[] = [
  { at: '', icon: 'home', key: 'page_home' },
  { at: 'battery', icon: 'battery', key: 'page_battery' },
  { at: 'devices', icon: 'load', key: 'page_devices' },
  { at: 'delivery', icon: 'delivery', key: 'page_delivery' },
  { at: 'faults', icon: 'faults', key: 'page_faults' },
];

/** "#/devices/grid" is ["devices", "grid"]. */
const route = (): string[] =>
  location.hash
    .replace(/^#\/?/, '')
    .split('/')
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });

function useRoute(): string[] {
  const [path, setPath] = useState(route);
  const moved = useRef(false); // not when the page is opened
  useEffect(() => {
    const follow = (): void => {
      moved.current = true;
      setPath(route());
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  useEffect(() => {
    if (moved.current) {
      scrollTo(0, 0);
      document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
    }
  }, [path]);
  return path;
}

/** Draws at most once a frame, and not at all while the page is hidden. */
function useConnection(): Connection {
  const [, draw] = useReducer((n: number, _: void) => n + 1, 0);
  const kept = useRef<Connection | null>(null);
  const asked = useRef(false);
  const soon = (): void => {
    if (!asked.current) {
      asked.current = true;
      requestAnimationFrame(() => {
        asked.current = false;
        draw();
      });
    }
  };
  kept.current ??= new Connection(soon);
  useEffect(() => {
    const connection = kept.current!;
    void connection.start();
    const timer = setInterval(soon, 1000); // ages count up
    const awake = (): void => {
      if (!document.hidden) {
        connection.awake();
      }
    };
    document.addEventListener('visibilitychange', awake);
    addEventListener('online', awake);
    return () => {
      document.removeEventListener('visibilitychange', awake);
      removeEventListener('online', awake);
      clearInterval(timer);
      connection.stop();
    };
  }, []);
  return kept.current;
}

const toast_ms = 6000;

const Toast = ({ text, gone }: { text: string; gone: () => void }) => {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const start = (): void => {
    timer.current = setTimeout(gone, toast_ms);
  };
  const hold = (): void => clearTimeout(timer.current);
  useEffect(() => {
    hold();
    if (text) {
      start();
    }
    return hold;
  }, [text]);
  return (
    <div role="status">
      {text && (
        <p class="toast" onMouseEnter={hold} onMouseLeave={start}>
          {text}
        </p>
      )}
    </div>
  );
};

const Offline = ({ page }: { page: Page }) => {
  const lost = page.live.lost;
  return (
    <div role="alert">
      {lost && (
        <p class="offline">
          {say('offline', {
            time: clock(lost.since_unix_ms, page.now_ms, true),
            retry: '',
          })}
          <span aria-hidden="true">{retryText((lost.retry_at_ms - page.tick_ms) / 1000)}</span>{' '}
          <button class="link" onClick={() => page.connection.tryNow()}>
            {say('try_now')}
          </button>
        </p>
      )}
    </div>
  );
};

/** Says a new alarm at once, wherever one is. */
const SpokenAlarms = ({ page }: { page: Page }) => {
  const alarm = page.live.faults?.body.find((fault) => fault.raised && fault.severity === 'alarm');
  return (
    <p class="sr" role="alert">
      {alarm ? say('new_alarm', { text: faultTitle(page, alarm) }) : ''}
    </p>
  );
};

interface GuardProps {
  children: ComponentChildren;
}

/** A mistake in one page leaves the frame and the way to the others. */
class Guard extends Component<GuardProps, { error: unknown }> {
  override state = { error: null as unknown };

  static override getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render({ children }: GuardProps) {
    const { error } = this.state;
    if (error === null) {
      return children;
    }
    return (
      <Status
        sentence={say('page_broken')}
        which="broken"
        lines={[{ mark: 'alarm', text: say('page_broken_what', { reason: String(error) }) }]}
        action={
          <button class="btn" onClick={() => location.reload()}>
            {say('load_again')}
          </button>
        }
      />
    );
  }
}

const BatteryBody = ({ page, path }: { page: Page; path: string[] }) => {
  const name = path[1];
  if (name && path[2] === 'can') {
    return <Can page={page} name={name} />;
  }
  if (name && path[2] === 'registers') {
    return <BatteryRegisters page={page} name={name} device={path[3]} />;
  }
  return <Battery page={page} name={name} key={name} />;
};

const DeviceBody = ({ page, name, part }: { page: Page; name: string; part: string | undefined }) =>
  part === 'registers' ? (
    <Registers
      page={page}
      device={name}
      key={name}
      crumb={<a href={`#/devices/${encodeURIComponent(name)}`}>{titleOf(page, name)}</a>}
    />
  ) : (
    <Device page={page} name={name} />
  );

const Body = ({ page, path }: { page: Page; path: string[] }) => {
  switch (path[0]) {
    case '':
    case undefined:
      return <Home page={page} />;
    case 'devices':
      return path[1] ? <DeviceBody page={page} name={path[1]} part={path[2]} /> : <Devices page={page} />;
    case 'alerts':
      return <Alerts page={page} />;
    case 'battery':
      return <BatteryBody page={page} path={path} />;
    case 'delivery':
      return <Delivery page={page} />;
    case 'faults':
      return <Faults page={page} />;
    default:
      return (
        <Status
          sentence={say('not_found')}
          which="not_found"
          lines={[{ mark: 'stale', text: say('not_found_what', { address: location.hash }) }]}
          action={
            <a class="btn" href="#/">
              {say('to_home')}
            </a>
          }
        />
      );
  }
};

const alerts_page = { at: 'alerts', key: 'alerts' } as const;

/** Where the page belongs among those that are named on every page. */
const section = (path: readonly string[]): string =>
  path[0] === 'alerts' ? 'battery' : (path[0] ?? '');

/** A battery's page only where there is a battery. */
const shownPages = (page: Page): typeof pages =>
  pages.filter((one) => one.at !== 'battery' || page.live.battery?.body.length);

const Links = ({ page, at, icons }: { page: Page; at: string; icons: boolean }) => (
  <>
    {shownPages(page).map((one) => (
      <a key={one.at} href={`#/${one.at}`} aria-current={one.at === at ? 'page' : undefined}>
        {icons && <Icon name={one.icon} />}
        {say(one.key)}
      </a>
    ))}
  </>
);

const Frame = ({ page, path }: { page: Page; path: string[] }) => {
  const status = page.live.status?.body;
  const site = status ? status.site || status.gateway : '';
  const session = page.live.session;
  const toMain = (event: Event): void => {
    event.preventDefault(); // the address says which page, not which place on it
    document.getElementById('main')?.focus();
  };
  return (
    <>
      <a class="skip" href="#main" onClick={toMain}>
        {say('to_content')}
      </a>
      <header class="top">
        <div>
          <a class="brand" href="#/">
            <Logo />
            Jouleway
          </a>
          {site && <span class="where">{site}</span>}
          <nav aria-label={say('pages')}>
            <Links page={page} at={section(path)} icons={false} />
          </nav>
          {session?.password_needed && session.role && (
            <button class="link out" onClick={() => void page.connection.signOut()}>
              {say('sign_out')}
            </button>
          )}
        </div>
      </header>
      <Offline page={page} />
      <main id="main" tabIndex={-1}>
        <Guard key={path.join('/')}>
          <Body page={page} path={path} />
        </Guard>
      </main>
      <footer class="foot-line">
        {status &&
          say('about_line', {
            version: status.version,
            gateway: status.gateway,
            age: age(status.up_s + elapsed(page, page.live.status!.at_ms)),
          })}
      </footer>
      <nav class="tabs" aria-label={say('pages')}>
        <Links page={page} at={section(path)} icons />
      </nav>
    </>
  );
};

export const App = () => {
  const connection = useConnection();
  const path = useRoute();
  const [toast, setToast] = useState('');
  const live = connection.live;
  const tick_ms = performance.now();
  const since = (at_ms: number | undefined): number =>
    at_ms === undefined ? 0 : Math.max(0, (tick_ms - at_ms) / 1000);
  const page: Page = {
    live,
    connection,
    views: viewOf(
      live.devices?.body ?? [],
      [...live.readings.values()].map((timed) => timed.body),
      {
        devices: since(live.devices?.at_ms),
        readings: (device) => since(live.readings.get(device)?.at_ms),
      },
      new Set(live.battery?.body.flatMap((one) => one.packs.map((pack) => pack.device))),
    ),
    now_ms: Date.now(),
    tick_ms,
    offline: live.lost !== null,
    toast: setToast,
  };
  const site = live.status?.body.site || live.status?.body.gateway;
  const name = path[0] === 'alerts' ? alerts_page : pages.find((one) => one.at === (path[0] ?? ''));
  const title = [
    path[0] === 'devices' && path[1]
      ? (page.views.find((view) => view.device.name === path[1])?.title ?? path[1])
      : name && name.at !== ''
        ? say(name.key)
        : '',
    site ?? '',
    'Jouleway',
  ]
    .filter(Boolean)
    .join(' – ');
  useEffect(() => {
    document.title = title;
  }, [title]);
  if (connection.needsPassword()) {
    return (
      <>
        <Offline page={page} />
        <SignIn done={() => void connection.start()} />
      </>
    );
  }
  return (
    <>
      <Frame page={page} path={path} />
      <SpokenAlarms page={page} />
      <Shortcuts battery={Boolean(live.battery?.body.length)} />
      <Toast text={toast} gone={() => setToast('')} />
    </>
  );
};
