import { useEffect } from 'react';

/** The title of the tab: what is shown, then tend. */
export function useTitle(title: string) {
  useEffect(() => {
    document.title = title ? `${title} · tend` : 'tend';
    return () => { document.title = 'tend'; };
  }, [title]);
}
