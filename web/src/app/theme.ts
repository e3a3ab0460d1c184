import { createStore } from '../lib/store';

export type Theme = 'system' | 'light' | 'dark';

// public/theme.js sets what was chosen before anything is drawn.
const chosen = typeof document === 'undefined' ? undefined : document.documentElement.dataset.theme;
export const theme = createStore<Theme>(chosen === 'light' || chosen === 'dark' ? chosen : 'system');

export function setTheme(t: Theme) {
  theme.set(t);
  const root = document.documentElement;
  if (t === 'system') delete root.dataset.theme;
  else root.dataset.theme = t;
  try {
    if (t === 'system') localStorage.removeItem('tend.theme');
    else localStorage.setItem('tend.theme', t);
  } catch { /* storage is refused: it holds until the page is closed */ }
}
