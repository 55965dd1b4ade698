// The title of the window: the object, the page, the product, so that tabs can be told apart.

import { useEffect } from 'react';

export function useTitle(...parts: readonly string[]): void {
  const title = [...parts, 'TensorForge'].join(' · ');
  useEffect(() => {
    document.title = title;
  }, [title]);
}
