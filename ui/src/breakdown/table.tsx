/** One table: the most hit first; a click on a name filters everything by it. */

import { useState } from 'preact/hooks';
import { shortContainerId } from '../../../src/event/container-id.ts';
import type { TopDimension, TopRow } from '../api/types.ts';
import { countText, shortCount, visible } from '../format/text.ts';
import { ProblemNote } from '../frame/problem.tsx';
import { tables } from '../state/data.ts';
import { toggleFilter, view } from '../state/view.ts';

/** As many rows before "more". */
const FEW = 7;

export function Table({ by, title }: { by: TopDimension; title: string }) {
  const { data, problem, isLoading } = tables[by].value;
  if (problem) return <ProblemNote problem={problem} />;
  if (!data) return <p class="nothing">…</p>;
  return <TableView by={by} title={title} rows={data.rows} few={FEW} isStale={isLoading} />;
}

interface TableViewProps {
  readonly by: TopDimension;
  readonly title: string;
  readonly rows: readonly TopRow[];
  /** Rows that are shown at first. */
  readonly few: number;
  readonly isStale?: boolean;
}

export function TableView({ by, title, rows, few, isStale = false }: TableViewProps) {
  const [isOpen, setOpen] = useState(false);
  const shown = isOpen ? rows : rows.slice(0, few);
  const most = Math.max(1, ...rows.map(weight));
  const columns = COLUMNS[by] ?? ALL;
  return (
    <section class={isStale ? 'table stale' : 'table'}>
      <table>
        <caption>{title}</caption>
        <thead>
          <tr>
            <th scope="col">
              <span class="sr-only">{by}</span>
            </th>
            {columns.map((column) => (
              <th scope="col" key={column}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <Row key={String(row.key)} by={by} row={row} most={most} columns={columns} />
          ))}
        </tbody>
      </table>
      {rows.length === 0 && <p class="nothing">nothing in this period</p>}
      {rows.length > few && (
        <button type="button" class="more" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? 'fewer' : `${rows.length - few} more`}
        </button>
      )}
    </section>
  );
}

type Column = 'resent' | 'drops' | 'resets';
const ALL: readonly Column[] = ['resent', 'drops', 'resets'];
/** Where not every kind has the dimension: a drop has no cause. */
const COLUMNS: Partial<Record<TopDimension, readonly Column[]>> = {
  reason: ['drops', 'resets'],
  location: ['drops'],
  cause: ['resent'],
};
const VALUE: Record<Column, (row: TopRow) => number> = {
  resent: (row) => resentOf(row),
  drops: ({ drops }) => drops,
  resets: ({ resets }) => resets,
};

/** Segments that were resent; at least one a retransmission where they are not known. */
const resentOf = ({ segments, retransmissions }: TopRow): number => Math.max(segments, retransmissions);
const weight = (row: TopRow): number => resentOf(row) + row.drops + row.resets;

function Row({ by, row, most, columns }: { by: TopDimension; row: TopRow; most: number; columns: readonly Column[] }) {
  const { key } = row;
  const share = (count: number): string => `${((100 * count) / most).toFixed(2)}%`;
  return (
    <tr>
      <th scope="row">
        {key === undefined ? (
          <span class="unknown">not known</span>
        ) : (
          <Name by={by} value={String(key)} label={row.netnsName} />
        )}
        <span class="bar" aria-hidden="true">
          <i class="resent" style={{ width: share(resentOf(row)) }} />
          <i class="dropped" style={{ width: share(row.drops) }} />
          <i class="reset" style={{ width: share(row.resets) }} />
        </span>
      </th>
      {columns.map((column) => (
        <Count key={column} value={VALUE[column](row)} column={column} />
      ))}
    </tr>
  );
}

function Name({ by, value, label }: { by: TopDimension; value: string; label: string | undefined }) {
  const text = by === 'container' ? shortContainerId(value) : label === undefined ? value : `${label} ${value}`;
  const isChosen = view.value.filters[by] === value;
  return (
    <button
      type="button"
      class="name"
      aria-pressed={isChosen}
      title={visible(label === undefined ? value : text)}
      onClick={() => toggleFilter(by, value)}
    >
      {visible(text)}
    </button>
  );
}

function Count({ value, column }: { value: number; column: Column }) {
  return (
    <td class={value === 0 ? 'zero' : column} title={countText(value)}>
      {value === 0 ? '·' : shortCount(value)}
    </td>
  );
}
