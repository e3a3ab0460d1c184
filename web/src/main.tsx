import './ui/fonts.css';
import './ui/tokens.css';
import './ui/base.css';
import './ui/ui.css';
import './ui/filters.css';
import './ui/list.css';
import './app/shell.css';

import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { listen } from './api/live';
import { client, follow } from './api/query';
import { tellOthers } from './api/session';
import { watch } from './api/version';
import { listenKeys } from './app/keys';
import { Shell } from './app/Shell';
import { SignedOn } from './app/SignOn';

const root = document.getElementById('root');
if (location.pathname === '/signed-on') {
  // The window in which somebody signed on: the page behind it goes on. It was at another host in between, so the browser may
  // have taken it from the page that opened it: then it says that it may be closed.
  tellOthers();
  window.close();
  document.title = 'Signed on · tend';
  if (root) createRoot(root).render(<SignedOn />);
} else {
  listenKeys();
  follow();
  watch();
  listen();
  if (root) createRoot(root).render(<StrictMode><QueryClientProvider client={client}><Shell /></QueryClientProvider></StrictMode>);
}
