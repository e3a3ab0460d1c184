// An address to take along. Browsers copy only on https and on this machine: elsewhere it is selected, and the keyboard copies.
import { useRef } from 'react';

import { toast } from '../../ui/Toasts';

export function Copy({ of, what }: { of: string; what: string }) {
  const text = useRef<HTMLElement>(null);
  const select = () => {
    if (text.current) getSelection()?.selectAllChildren(text.current);
    toast('It is selected: copy it with the keyboard.');
  };
  const copy = () => {
    if (!navigator.clipboard) { select(); return; }
    navigator.clipboard.writeText(of).then(() => toast('Copied.'), select);
  };
  return <span className="integrations-copy"><code ref={text}>{of}</code> <button type="button" className="button small plain" aria-label={`Copy ${what}`} onClick={copy}>Copy</button></span>;
}
