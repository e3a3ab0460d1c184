import './ui/fonts.css';
import './ui/tokens.css';
import './ui/base.css';
import './ui/ui.css';
import './app/shell.css';

import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { listen } from './api/live';
import { client, follow } from './api/query';
import { tellOthers } from './api/session';
import { listenKeys } from './app/keys';
import { Shell } from './app/Shell';

if (location.pathname === '/signed-on' && window.opener) {
  // The window in which somebody signed on: the page behind it goes on.
  tellOthers();
  window.close();
} else {
  if (location.pathname === '/signed-on') history.replaceState(null, '', '/');
  listenKeys();
  follow();
  listen();
  const root = document.getElementById('root');
  if (root) createRoot(root).render(<StrictMode><QueryClientProvider client={client}><Shell /></QueryClientProvider></StrictMode>);
}
