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
  { pattern: '/inbox', page: page(() => import('../pages/inbox/Inbox')), nav: { label: 'Inbox', key: 'i', group: 'now' } },
  { pattern: '/inbox/:task', page: page(() => import('../pages/task/Task')) },
  { pattern: '/requests', page: page(() => import('../pages/requests/Requests')), nav: { label: 'Requests', key: 'q', group: 'now' } },
  { pattern: '/requests/new/:offer', page: page(() => import('../pages/request/Ask')) },
  { pattern: '/requests/:request', page: page(() => import('../pages/request/Request')) },
  { pattern: '/runs', page: page(() => import('../pages/runs/Runs')), nav: { label: 'Runs', key: 'r', group: 'now' } },
  { pattern: '/runs/:run', page: page(() => import('../pages/run/Run')) },
  { pattern: '/incidents', page: page(() => import('../pages/incidents/Incidents')), nav: { label: 'Incidents', key: 'c', group: 'now' } },
  { pattern: '/incidents/:incident', page: page(() => import('../pages/incident/Incident')) },
  { pattern: '/playbooks', page: page(() => import('../pages/playbooks/Playbooks')), nav: { label: 'Playbooks', key: 'p', group: 'know' } },
  { pattern: '/playbooks/:playbook', page: page(() => import('../pages/playbook/Playbook')) },
  { pattern: '/playbooks/:playbook/edit', page: page(() => import('../pages/editor/Editor')) },
  { pattern: '/events', page: page(() => import('../pages/events/Events')), nav: { label: 'Events', key: 'e', group: 'know' } },
  { pattern: '/events/:event', page: page(() => import('../pages/event/Event')) },
  { pattern: '/new/playbook', page: page(() => import('../pages/editor/New')) },
  { pattern: '/events/:event/playbook', page: page(() => import('../pages/editor/New')) },
  { pattern: '/guards', page: page(() => import('../pages/guards/Guards')), nav: { label: 'Guards and halt', key: 'g', group: 'govern' } },
  { pattern: '/integrations', page: page(() => import('../pages/integrations/Integrations')), nav: { label: 'Integrations', key: 'n', group: 'govern' } },
  { pattern: '/revisions', page: page(() => import('../pages/revisions/Revisions')), nav: { label: 'Revisions', key: 'v', group: 'govern' } },
  { pattern: '/audit', page: page(() => import('../pages/audit/Audit')), nav: { label: 'Audit', key: 'a', group: 'govern', may: 'audit' } },
  { pattern: '/insights', page: page(() => import('../pages/insights/Insights')), nav: { label: 'Insights', key: 's', group: 'know' } },
];

// The keys that are taken, or kept for the page that comes: i inbox, c incidents, q requests, p playbooks, e events, g guards
// and halt, n integrations, v revisions, a audit, s insights.
