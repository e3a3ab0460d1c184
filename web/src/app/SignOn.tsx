// Signing on: over whatever is open, because a session can end while somebody types. Nothing below is taken away.
import { type FormEvent, useEffect, useState } from 'react';

import { issuers, type Problemish, session, signedOn, signOn } from '../api/session';
import { useStore } from '../lib/store';
import { Dialog } from '../ui/Dialog';
import { Sentence } from '../ui/Text';

export function SignOn() {
  const { needed } = useStore(session);
  return needed ? <Form /> : null;
}

function Form() {
  const [names, setNames] = useState<string[]>([]);
  const [token, setToken] = useState('');
  const [emergency, setEmergency] = useState(false);
  const [name, setName] = useState('');
  const [why, setWhy] = useState('');
  const [no, setNo] = useState<Problemish | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => { void issuers().then(setNames); }, []);

  const submit = async (e: FormEvent) => {
    e.preventDefault();
    setBusy(true);
    const p = await signOn({ token: token.trim(), ...(emergency ? { name, why } : {}) });
    setBusy(false);
    setNo(p);
    if (p && /name and the reason/.test(p.detail)) setEmergency(true);
  };

  return (
    <Dialog title="Sign on" firm>
      {names.map((n) => (
        <button key={n} type="button" className="button primary" style={{ justifyContent: 'center' }} onClick={() => { setNo(null); begin(n, setNo); }}>Sign on with <bdi>{n}</bdi></button>
      ))}
      {names.length > 0 ? <p className="dim">or with a token:</p> : <p className="dim">With a token of yours (<code>tend tokens new</code>), or the one-time token that the server showed when it first started.</p>}
      <form onSubmit={(e) => { void submit(e); }} style={{ display: 'grid', gap: 'var(--s-3)' }}>
        <input type="text" name="username" autoComplete="username" value="tend" readOnly hidden />
        <div className="field">
          <label htmlFor="sign-on-token">Token</label>
          <input id="sign-on-token" className="input mono" type="password" autoComplete="current-password" spellCheck={false} required autoFocus value={token} onChange={(e) => setToken(e.target.value)} aria-invalid={no ? true : undefined} aria-describedby="sign-on-no" />
        </div>
        {emergency ? (
          <>
            <div className="field"><label htmlFor="sign-on-name">Your name</label><input id="sign-on-name" className="input" required value={name} onChange={(e) => setName(e.target.value)} /></div>
            <div className="field"><label htmlFor="sign-on-why">The reason</label><input id="sign-on-why" className="input" required value={why} onChange={(e) => setWhy(e.target.value)} /></div>
          </>
        ) : null}
        <div id="sign-on-no" role="alert">{no ? <span className="field"><span className="wrong"><Sentence of={no.detail} /></span>{no.next ? <span className="hint"><Sentence of={no.next} /></span> : null}</span> : null}</div>
        <div><button type="submit" className="button primary" disabled={busy || !token}>Sign on</button></div>
      </form>
    </Dialog>
  );
}

/** What stands in the window in which somebody signed on, where it may not close itself. */
export function SignedOn() {
  return <main className="state"><h1>You are signed on</h1><span>Close this window: the page goes on where it was.</span><span className="do"><a className="button" href="/">Open tend here</a></span></main>;
}

/** The issuer's page opens beside this one, so that this one stays as it is; where no window may open, in its place. */
function begin(issuer: string, no: (p: Problemish) => void) {
  const there = `/auth/begin/${encodeURIComponent(issuer)}?back=`;
  const w = open(there + encodeURIComponent('/signed-on'), 'tend-sign-on', 'popup,width=520,height=680');
  if (!w) {
    location.assign(there + encodeURIComponent(location.pathname + location.search));
    return;
  }
  // The other window tells of itself when it is through (session.ts). One that is closed, or taken from us by the browser
  // because it is at another host, may have been.
  const look = setInterval(() => {
    if (!w.closed) return;
    clearInterval(look);
    void fetch('/v1/me').then((r) => {
      if (r.ok) signedOn();
      else if (session.get().needed) no({ detail: `Nobody has signed on with ${issuer} yet.`, next: 'Go on in the window that opened, or begin again.' });
    });
  }, 300);
}
