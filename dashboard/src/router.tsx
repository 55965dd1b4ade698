// The pages and their addresses. Everything but the sign-in needs a session; each page is its own
// chunk, fetched when a link to it is pointed at.

import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { isSignedOut } from './api/failure.ts';
import {
  auditTrailQuery,
  backendsQuery,
  decisionsQuery,
  keysQuery,
  meQuery,
  overviewQuery,
  policyHistoryQuery,
  policyQuery,
  usageQuery,
} from './api/queries.ts';
import { PageFrame } from './components/page-frame.tsx';
import { BrokenPage } from './pages/broken-page.tsx';
import { NotFoundPage } from './pages/not-found-page.tsx';
import {
  parseAuditSearch,
  parseFleetSearch,
  parseLoginSearch,
  parseReplaySearch,
  parseRequestsSearch,
  parseUsageSearch,
} from './pages/search.ts';

type Context = { readonly queryClient: QueryClient };

const rootRoute = createRootRouteWithContext<Context>()({
  component: Outlet,
  notFoundComponent: NotFoundPage,
  errorComponent: BrokenPage,
});

const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/login',
  validateSearch: parseLoginSearch,
  component: lazyRouteComponent(() => import('./pages/login-page.tsx'), 'LoginPage'),
});

const appRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'app',
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queryClient.ensureQueryData(meQuery);
    } catch (error) {
      if (!isSignedOut(error)) throw error;
      throw redirect({ to: '/login', search: parseLoginSearch({ next: location.href }) });
    }
  },
  component: PageFrame,
});

const overviewRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/',
  loader: ({ context }) => void context.queryClient.prefetchQuery(overviewQuery),
  component: lazyRouteComponent(() => import('./pages/overview-page.tsx'), 'OverviewPage'),
});

const fleetRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/fleet',
  validateSearch: parseFleetSearch,
  loader: ({ context }) => void context.queryClient.prefetchQuery(backendsQuery),
  component: lazyRouteComponent(() => import('./pages/fleet-page.tsx'), 'FleetPage'),
});

const backendRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/fleet/$id',
  loader: ({ context }) => void context.queryClient.prefetchQuery(backendsQuery),
  component: lazyRouteComponent(() => import('./pages/backend-page.tsx'), 'BackendPage'),
});

const requestsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/requests',
  validateSearch: parseRequestsSearch,
  loader: ({ context }) => void context.queryClient.prefetchQuery(decisionsQuery),
  component: lazyRouteComponent(() => import('./pages/requests-page.tsx'), 'RequestsPage'),
});

const requestRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/requests/$id',
  component: lazyRouteComponent(() => import('./pages/request-page.tsx'), 'RequestPage'),
});

const policyRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/policy',
  loader: ({ context }) => {
    void context.queryClient.prefetchQuery(policyQuery);
    void context.queryClient.prefetchQuery(policyHistoryQuery);
  },
  component: lazyRouteComponent(() => import('./pages/policy-page.tsx'), 'PolicyPage'),
});

const replayRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/replay',
  validateSearch: parseReplaySearch,
  component: lazyRouteComponent(() => import('./pages/replay-page.tsx'), 'ReplayPage'),
});

const auditRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/audit',
  validateSearch: parseAuditSearch,
  loaderDeps: ({ search: { range, stream, kind } }) => ({ range, stream, kind }),
  loader: ({ context, deps }) => void context.queryClient.prefetchQuery(auditTrailQuery(deps)),
  component: lazyRouteComponent(() => import('./pages/audit-page.tsx'), 'AuditPage'),
});

const usageRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/usage',
  validateSearch: parseUsageSearch,
  loaderDeps: ({ search: { range, by } }) => ({ range, by }),
  loader: ({ context, deps }) =>
    void context.queryClient.prefetchQuery(usageQuery(deps.range, deps.by)),
  component: lazyRouteComponent(() => import('./pages/usage-page.tsx'), 'UsagePage'),
});

const keysRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/access/keys',
  loader: ({ context }) => void context.queryClient.prefetchQuery(keysQuery),
  component: lazyRouteComponent(() => import('./pages/keys-page.tsx'), 'KeysPage'),
});

const routeTree = rootRoute.addChildren([
  loginRoute,
  appRoute.addChildren([
    overviewRoute,
    fleetRoute,
    backendRoute,
    requestsRoute,
    requestRoute,
    policyRoute,
    replayRoute,
    auditRoute,
    usageRoute,
    keysRoute,
  ]),
]);

export function makeRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    context: { queryClient },
    defaultPreload: 'intent',
    defaultPreloadStaleTime: 0,
    scrollRestoration: false,
    defaultErrorComponent: BrokenPage,
  });
}

export type AppRouter = ReturnType<typeof makeRouter>;

declare module '@tanstack/react-router' {
  interface Register {
    router: AppRouter;
  }
}
