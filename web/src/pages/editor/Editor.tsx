// A playbook as text and as a graph: two views of one document. The text is the truth; every change on the graph is made in
// it by the server, which keeps comments and order. Nothing here is live before it is reviewed and merged.
import { useState } from 'react';

import { useAsk } from '../../api/query';
import type { PlaybookSource } from '../../api/schema';
import { useParam, useParts } from '../../app/router';
import { useTitle } from '../../app/title';
import { Shown } from '../../ui/State';
import { Desk } from './Desk';
import { sweep } from './model';
import './editor.css';

try { sweep(Date.now(), localStorage); } catch { /* storage is refused */ }

export default function Editor() {
  const { playbook = '' } = useParts();
  const [project] = useParam('project');
  const [environment] = useParam('environment');
  useTitle(`Edit ${playbook}`);
  const asked = useAsk('playbookSource', { path: { name: playbook }, query: { ...(project ? { project } : {}), ...(environment ? { environment } : {}) } });
  // What it is begun from stays; what becomes live meanwhile is said, and never put under somebody's hands.
  const [first, setFirst] = useState<PlaybookSource | null>(null);
  if (!first && asked.data) setFirst(asked.data);
  const source = first ?? asked.data;
  return (
    <Shown of={asked} what="playbook" lines={14}>{(now) => source ? (
      <Desk key={`${source.repository}/${source.file}`} name={playbook} source={{ ...source, base: source.revision.id }} live={{ base: now.revision.id, text: now.text }} />
    ) : null}</Shown>
  );
}
