// Every page of the house: its address, its code, and its place in the rail. A new page is a folder in src/pages and a line
// here (web/README.md says how).
import { type ComponentType, lazy } from 'react';

import type { Route } from './router';

export interface Nav {
  label: string;
  /** After `g`: g r goes to the runs. */
  key: string;
  group: 'now' | 'know' | 'govern';
  /** Shown only to who may do this (to the server, or in any project). */
  may?: string;
}

export interface Entry extends Route { nav?: Nav }

const page = (load: () => Promise<{ default: ComponentType }>) => lazy(load);

export const routes: Entry[] = [
  { pattern: '/', page: page(() => import('../pages/home/Home')), nav: { label: 'Home', key: 'h', group: 'now' } },
  { pattern: '/runs', page: page(() => import('../pages/runs/Runs')), nav: { label: 'Runs', key: 'r', group: 'now' } },
  { pattern: '/runs/:run', page: page(() => import('../pages/run/Run')) },
];

// The keys that are taken, or kept for the page that comes: i inbox, c incidents, q requests, p playbooks, e events, g guards
// and halt, n integrations, v revisions, a audit, s insights.
