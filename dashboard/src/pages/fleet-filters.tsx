// The filter box and the counts of the states, above the list and above the matrix alike. Both stand in
// the address; the box keeps what is typed until it loses the focus, so that no letter is lost to it.

import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { type RefObject, useEffect, useId } from 'react';
import type { BackendViewWire } from '../api/wire.ts';
import { formatCount } from '../format/numbers.ts';
import { filterFleet, filterWords } from './fleet-filter.ts';
import styles from './page.module.css';
import { type FleetFilter, fleetFilters } from './search.ts';

const route = getRouteApi('/app/fleet');

type BoxProps = { readonly input: RefObject<HTMLInputElement | null> };

function FilterBox({ input }: BoxProps) {
  const id = useId();
  const { text = '' } = route.useSearch();
  const navigate = useNavigate();
  useEffect(() => {
    const box = input.current;
    if (box !== null && box !== document.activeElement) box.value = text;
  }, [input, text]);
  const write = (value: string) =>
    void navigate({
      to: '/fleet',
      search: (before) => ({ ...before, text: value === '' ? undefined : value }),
      replace: true,
      resetScroll: false,
    });
  return (
    <span className={styles.search}>
      <label htmlFor={id} className="muted">
        Filter
      </label>
      <input
        ref={input}
        id={id}
        type="search"
        defaultValue={text}
        placeholder="name, type:vllm, model:chat, -zone:open"
        autoComplete="off"
        spellCheck={false}
        maxLength={200}
        onChange={({ target }) => write(target.value)}
        onKeyDown={({ key, currentTarget }) => {
          if (key === 'Escape') currentTarget.blur();
        }}
      />
    </span>
  );
}

type StateLinkProps = { readonly state: FleetFilter | undefined; readonly count: number };

function StateLink({ state, count }: StateLinkProps) {
  const held = route.useSearch({ select: (search) => search.state });
  return (
    <Link
      to="/fleet"
      search={({ dropped: _, ...before }) => ({ ...before, state })}
      className={styles.filter}
      activeOptions={{ explicitUndefined: true }}
      aria-current={held === state ? 'true' : undefined}
      resetScroll={false}
    >
      {state === undefined ? 'all' : filterWords[state]} {formatCount(count)}
    </Link>
  );
}

export type FleetFiltersProps = BoxProps & { readonly fleet: readonly BackendViewWire[] };

export function FleetFilters({ fleet, input }: FleetFiltersProps) {
  return (
    <div className={styles.bar}>
      <FilterBox input={input} />
      <nav className={styles.bar} aria-label="Filter">
        <StateLink state={undefined} count={fleet.length} />
        {fleetFilters.map((state) => (
          <StateLink key={state} state={state} count={filterFleet(fleet, { state }).length} />
        ))}
      </nav>
    </div>
  );
}
