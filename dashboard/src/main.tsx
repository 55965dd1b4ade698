// The start of the dashboard: theme, query cache, router. A session that ends anywhere leads to the
// sign-in page, and back to where one was.

import './styles/tokens.css';
import './styles/base.css';
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { worthRetrying } from './api/client.ts';
import { isSignedOut } from './api/failure.ts';
import { parseLoginSearch } from './pages/search.ts';
import { type AppRouter, makeRouter } from './router.tsx';
import { applyTheme, readTheme } from './theme/theme.ts';

function leaveWhenSignedOut(router: () => AppRouter): QueryCache {
  return new QueryCache({
    onError: (error) => {
      const { navigate, state, history } = router();
      if (!isSignedOut(error) || state.location.pathname === '/login') return;
      const next = history.location.href;
      void navigate({ to: '/login', search: parseLoginSearch({ next }) });
    },
  });
}

function start(root: HTMLElement): void {
  applyTheme(readTheme());
  const queryClient: QueryClient = new QueryClient({
    queryCache: leaveWhenSignedOut(() => router),
    defaultOptions: {
      queries: { retry: worthRetrying, refetchOnWindowFocus: false, networkMode: 'always' },
    },
  });
  const router = makeRouter(queryClient);
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
}

const root = document.getElementById('root');
if (root !== null) start(root);
