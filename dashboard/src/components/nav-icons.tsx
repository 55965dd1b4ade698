// The pictures of the navigation. Each always has its word beside or under it.

export type IconName =
  | 'overview'
  | 'fleet'
  | 'requests'
  | 'policy'
  | 'replay'
  | 'audit'
  | 'usage'
  | 'keys'
  | 'more';

const paths: Readonly<Record<IconName, string>> = {
  overview: 'M2 12.5h3V8H2zm5 0h3V3H7zm5 0h3V6h-3z',
  fleet: 'M2.5 3h12v3.5h-12zm0 6.5h12V13h-12z',
  requests: 'M2 5h10m0 0L9 2m3 3L9 8M15 11H5m0 0 3-3m-3 3 3 3',
  policy: 'M2 13h3v-3h3V7h3V4h4',
  replay: 'M3 8a5.5 5.5 0 1 0 1.8-4.1L3 5.5M3 2v3.5h3.5',
  audit: 'M3 2h11v12H3zm3 3.5h5M6 8h5m-5 2.5h3',
  more: 'M2.5 8h2.5m2.25 0h2.5M12 8h2.5',
  usage: 'M3 3h11v10H3zm0 3.5h11M6 10h2m2 0h2',
  keys: 'M6 8a3 3 0 1 1-6 0 3 3 0 0 1 6 0m0 0h10m-3 0v3.5M10 8v2.5',
};

export function NavIcon({ name }: { readonly name: IconName }) {
  return (
    <svg
      width="17"
      height="16"
      viewBox="0 0 17 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  );
}
