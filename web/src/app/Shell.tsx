// The shell: the rail, the bar with how the house stands (Standing.tsx), and the page.
import { Component, type ErrorInfo, type ReactNode, Suspense, useEffect, useState } from 'react';

import { live } from '../api/live';
import { signOff } from '../api/session';
import { useStore } from '../lib/store';
import { offset } from '../lib/time';
import { Empty, Loading } from '../ui/State';
import { Text } from '../ui/Text';
import { At, useNow, useZone, zone } from '../ui/Time';
import { Toasts } from '../ui/Toasts';
import { Help, mac, openHelp } from './Help';
import { useKeys } from './keys';
import { useMay, useMe } from './me';
import { go, Link, Page, usePlace } from './router';
import { Rail } from './Rail';
import { routes } from './routes';
import { openSearch, Search } from './Search';
import { SignOn } from './SignOn';
import { Standing } from './Standing';
import { setTheme, theme } from './theme';

export function Shell() {
  const may = useMay();
  const { path } = usePlace();
  const [rail, setRail] = useState(false);
  useEffect(() => { setRail(false); }, [path]);
  const nav = routes.filter((r) => r.nav && (!r.nav.may || may(r.nav.may) || may(r.nav.may, '*')));
  useKeys({
    'mod+k': ['search over everything', openSearch],
    '/': ['search over everything', openSearch],
    '?': ['say what the keys do', openHelp],
    ...Object.fromEntries(nav.flatMap((r) => (r.nav ? [[`g ${r.nav.key}`, [`go to ${r.nav.label}`, () => go(r.pattern)] as [string, () => void]]] : []))),
  });
  return (
    <div className="shell">
      <a className="skip" href="#page">Skip to the page</a>
      <Bar openRail={() => setRail((v) => !v)} rail={rail} />
      <Rail nav={nav} path={path} shown={rail} />
      <div className="stage">
        <main id="page" tabIndex={-1}>
          <Wall key={path}>
            <Suspense fallback={<Loading lines={8} />}>
              <Page routes={routes} other={<Empty title="There is nothing at this address"><Link to="/">Home</Link></Empty>} />
            </Suspense>
          </Wall>
        </main>
      </div>
      <Search />
      <Help />
      <Toasts />
      <SignOn />
    </div>
  );
}

function Bar({ openRail, rail }: { openRail: () => void; rail: boolean }) {
  const me = useMe();
  return (
    <header className="bar">
      <button type="button" className="button plain menu" aria-expanded={rail} aria-label="Pages" onClick={openRail}>☰</button>
      <Link to="/" className="mark" aria-label="tend: home"><svg viewBox="0 0 32 32" width="20" height="20" aria-hidden><path d="M4 20h6l3-11 5 15 3-9h7" fill="none" stroke="currentColor" strokeWidth="3" strokeLinecap="round" strokeLinejoin="round" /></svg><span>tend</span></Link>
      <button type="button" className="find" onClick={openSearch}><span>Search over everything</span><kbd>{mac ? '⌘' : 'Ctrl '}K</kbd></button>
      <Standing />
      <span className="end">
        <Pulse />
        <ZoneSwitch />
        <ThemeSwitch />
        <button type="button" className="button plain small" aria-label="What the keys do" onClick={openHelp}>?</button>
        {me.data ? (
          <details className="who">
            <summary><Text of={me.data.name || me.data.id} max={24} /></summary>
            <div className="panel">
              <dl className="facts">
                <dt>signed on as</dt><dd><Text of={me.data.id} /></dd>
                {me.data.groups.length ? <><dt>groups</dt><dd><Text of={me.data.groups.join(', ')} max={400} /></dd></> : null}
                <dt>may</dt><dd>{me.data.may.length ? me.data.may.map((p) => p.verb).join(', ') : 'nothing'}</dd>
              </dl>
              <button type="button" className="button small" onClick={() => { void signOff(); }}>Sign off</button>
            </div>
          </details>
        ) : <span className="who" />}
      </span>
    </header>
  );
}

/** Whether what is shown is what is. */
function Pulse() {
  const l = useStore(live);
  if (l.state === 'live') return <span className="pulse live" role="status"><i aria-hidden />live</span>;
  if (l.state === 'refused') return <span className="pulse old" role="status"><i aria-hidden />not allowed</span>;
  if (l.state === 'connecting') return <span className="pulse" role="status"><i aria-hidden />connecting</span>;
  return <span className="pulse old" role="status"><i aria-hidden />as of <At at={new Date(l.since).toISOString()} /></span>;
}

function ZoneSwitch() {
  const z = useZone();
  const now = useNow();
  const other = z === 'utc' ? 'local' : 'utc';
  return <button type="button" className="button plain small mono" title={`Times are shown in ${z === 'utc' ? 'UTC' : 'the time zone of this device'}. Press for ${other === 'utc' ? 'UTC' : 'local time'}.`} onClick={() => zone.set(other)}>{offset(new Date(now), z)}</button>;
}

function ThemeSwitch() {
  const t = useStore(theme);
  const next = t === 'system' ? 'dark' : t === 'dark' ? 'light' : 'system';
  return <button type="button" className="button plain small" aria-label={`Theme: ${t}. Press for ${next}.`} title={`Theme: ${t}`} onClick={() => setTheme(next)}>{t === 'system' ? '◐' : t === 'dark' ? '●' : '○'}</button>;
}

/** What breaks in a page stays in it. */
class Wall extends Component<{ children: ReactNode }, { broke: Error | null }> {
  override state: { broke: Error | null } = { broke: null };
  static getDerivedStateFromError(broke: Error) { return { broke }; }
  override componentDidCatch(e: Error, info: ErrorInfo) { console.error(e, info.componentStack); }
  override render() {
    const { broke } = this.state;
    if (!broke) return this.props.children;
    const gone = /dynamically imported module|Importing a module script failed|error loading|preload CSS/i.test(broke.message);
    return (
      <div className="state" role="alert">
        <strong>{gone ? 'The server has a newer page' : 'This page met a bug of ours'}</strong>
        <span>{gone ? 'Load it again; nothing was done.' : <Text of={broke.message} max={300} />}</span>
        <span className="do"><button type="button" className="button" onClick={() => location.reload()}>Load the page again</button></span>
      </div>
    );
  }
}
