// Draws one record of the banyan module: a table, or a chart with its data as a table behind it. Everything in it comes
// from a learner's code, so it is only ever text.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { t } from '../../i18n/words';
import { cut, every, path, place, plain, scaleOf, type Scale } from './chart';
import type { BarRecord, Cell, ConfusionRecord, LineRecord, OutputRecord, ScatterRecord, Series, TableRecord } from './records';

export function Figure({ record }: { record: OutputRecord }) {
  switch (record.kind) {
    case 'table':
      return <DataTable title={record.title} columns={record.columns} rows={record.rows} />;
    case 'confusion':
      return <Confusion record={record} />;
    case 'bar':
      return <Bars record={record} />;
    case 'line':
      return <Lines record={record} />;
    case 'scatter':
      return <Points record={record} />;
  }
}

/** A table that scrolls in its own box. Columns stay in the order of the code, also on a page that runs from right to left. */
export function DataTable({ title, columns, rows }: Omit<TableRecord, 'kind'>) {
  return (
    <div class="data" dir="ltr" tabIndex={0} role="group" aria-label={title ?? t('ui.lab.chart.table')}>
      <table>
        {title && <caption dir="auto">{title}</caption>}
        {columns && (
          <thead>
            <tr>
              {columns.map((name) => (
                <th scope="col" dir="auto">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
        )}
        <tbody>
          {rows.map((row) => (
            <tr>{row.map(dataCell)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function dataCell(cell: Cell) {
  return typeof cell === 'number' ? (
    <td class="number">{String(cell)}</td>
  ) : (
    <td>
      <bdi>{cell}</bdi>
    </td>
  );
}

function Confusion({ record: { title, labels, counts } }: { record: ConfusionRecord }) {
  const most = counts.reduce((top, row) => row.reduce((a, b) => Math.max(a, b), top), 0);
  return (
    <div class="data" dir="ltr" tabIndex={0} role="group" aria-label={title ?? t('ui.lab.chart.confusion')}>
      <table class="confusion">
        <caption dir="auto">{title ?? t('ui.lab.chart.confusion')}</caption>
        <thead>
          <tr>
            <th scope="col" dir="auto">
              {t('ui.lab.chart.truth_guess')}
            </th>
            {labels.map((label) => (
              <th scope="col" dir="auto">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {counts.map((row, i) => (
            <tr>
              <th scope="row" dir="auto">
                {labels[i]}
              </th>
              {row.map((count, j) => (
                <td class={`number shade-${most ? Math.ceil((count / most) * 5) : 0}${i === j ? ' right' : ''}`}>{String(count)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface FrameProps {
  title?: string;
  alt: string;
  names?: (string | undefined)[];
  columns: string[];
  rows: Cell[][];
  height: (width: number) => number;
  children: (width: number) => ComponentChildren;
}

/** The frame of every chart: its title, the drawing with words for those who do not see it, the names of its colours, its data. */
function Frame({ title, alt, names, columns, rows, height, children }: FrameProps) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(320);
  useEffect(() => {
    const element = box.current;
    if (!element || typeof ResizeObserver === 'undefined') return;
    const watch = new ResizeObserver(() => element.clientWidth && setWidth(Math.min(640, element.clientWidth)));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  const tall = height(width);
  return (
    <figure class="chart">
      {title && <figcaption dir="auto">{title}</figcaption>}
      <div dir="ltr" ref={box}>
        <svg role="img" aria-label={title ? `${title}. ${alt}` : alt} width={width} height={tall} viewBox={`0 0 ${width} ${tall}`}>
          {children(width)}
        </svg>
      </div>
      {names?.some(Boolean) && (
        <ul class="legend">
          {names.map((name, i) => (
            <li>
              <svg width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true" class={`c${i}`}>
                <Mark shape={i} />
              </svg>
              <bdi>{name}</bdi>
            </li>
          ))}
        </ul>
      )}
      <details>
        <summary class="small">{t('ui.lab.chart.data')}</summary>
        <DataTable columns={columns} rows={rows} />
      </details>
    </figure>
  );
}

/** Colours alone would leave out who cannot tell them apart. */
function Mark({ shape, x = 0, y = 0 }: { shape: number; x?: number; y?: number }) {
  const at = `translate(${x} ${y})`;
  switch (shape % 6) {
    case 1:
      return <path class="mark" transform={at} d="M-4.5-4.5h9v9h-9z" />;
    case 2:
      return <path class="mark" transform={at} d="M0-6L5.5 4.5h-11z" />;
    case 3:
      return <path class="mark" transform={at} d="M0-6.5L6.5 0 0 6.5-6.5 0z" />;
    case 4:
      return <path class="mark" transform={at} d="M-6-2h4v-4h4v4h4v4h-4v4h-4v-4h-4z" />;
    case 5:
      return <path class="mark" transform={at} d="M0 6L5.5-4.5h-11z" />;
    default:
      return <circle class="mark" cx={x} cy={y} r="5" />;
  }
}

const range = (values: readonly (number | null)[]): { Low: string; High: string } => {
  const known = values.filter((value): value is number => value !== null);
  const pick = (of: (a: number, b: number) => number) => (known.length ? plain(known.reduce((a, b) => of(a, b))) : '\u2013');
  return { Low: pick(Math.min), High: pick(Math.max) };
};

const heads = (first: string | undefined, series: Series[], second: string | undefined) => [
  first ?? '',
  ...series.map(({ name }) => name ?? second ?? ''),
];

const top = 22;
const foot = 24;

interface Upright {
  width: number;
  height: number;
  left: number;
  y: Scale;
  x_label?: string;
  y_label?: string;
}

/** The lines and numbers of the upright axis, and the names of both. */
function Axes({ width, height, left, y, x_label, y_label }: Upright) {
  const bottom = height - foot - (x_label ? 16 : 0);
  return (
    <>
      {y.steps.map((step) => {
        const at = place(y, step, bottom, top);
        return (
          <>
            <path class={step === 0 ? 'axis' : 'grid'} d={`M${left} ${at}H${width}`} />
            <text x={left - 6} y={at + 4} text-anchor="end">
              {plain(step)}
            </text>
          </>
        );
      })}
      {y_label && (
        <text class="axis-name" x="0" y="12">
          {cut(y_label, width)}
        </text>
      )}
      {x_label && (
        <text class="axis-name" x={width} y={height - 3} text-anchor="end">
          {cut(x_label, width)}
        </text>
      )}
    </>
  );
}

const gutter = (scale: Scale) => 14 + 7 * scale.steps.reduce((most, step) => Math.max(most, plain(step).length), 0);

function Bars({ record }: { record: BarRecord }) {
  const { labels, series, x_label, y_label } = record;
  const values = series.flatMap((one) => one.values);
  const shared = {
    title: record.title,
    alt: t('ui.lab.chart.bar', { Count: labels.length, ...range(values) }),
    names: series.map(({ name }) => name),
    columns: heads(x_label, series, y_label),
    rows: labels.map((label, i) => [label, ...series.map((one) => one.values[i] ?? null)]),
  };
  // Few bars lie, so that their names can be read; many stand.
  return labels.length * series.length <= 30 ? <Lying {...record} shared={shared} /> : <Standing {...record} shared={shared} />;
}

type Shared = Omit<FrameProps, 'height' | 'children'>;

function Lying({ labels, series, x_label, y_label, shared }: BarRecord & { shared: Shared }) {
  const thick = series.length > 1 ? 14 : 20;
  const group = thick * series.length + 10;
  const head = x_label ? 20 : 4;
  const scale = scaleOf(series.flatMap((one) => one.values), 4, true);
  const longest = labels.reduce((most, label) => Math.max(most, label.length), 0);
  const written = series.flatMap((one) => one.values).reduce<number>((most, value) => Math.max(most, value === null ? 0 : plain(value).length), 0);
  return (
    <Frame {...shared} height={() => head + labels.length * group + foot + (y_label ? 16 : 0)}>
      {(width) => {
        const left = Math.min(width * 0.4, longest * 7.5 + 12);
        const right = width - written * 7.5 - 8;
        const start = scale.low < 0 ? left + written * 7.5 : left;
        const bottom = head + labels.length * group;
        const zero = place(scale, 0, start, right);
        return (
          <>
            {x_label && (
              <text class="axis-name" x="0" y="12">
                {cut(x_label, width)}
              </text>
            )}
            {scale.steps.map((step) => {
              const at = place(scale, step, start, right);
              return (
                <>
                  <path class={step === 0 ? 'axis' : 'grid'} d={`M${at} ${head}V${bottom}`} />
                  <text x={at} y={bottom + 16} text-anchor="middle">
                    {plain(step)}
                  </text>
                </>
              );
            })}
            {labels.map((label, i) => {
              const y = head + i * group + 5;
              return (
                <>
                  <text x={left - 8} y={y + (group - 10) / 2 + 4} text-anchor="end">
                    {cut(label, left - 8)}
                  </text>
                  {series.map(({ values }, s) => {
                    const value = values[i] ?? null;
                    if (value === null) return null;
                    const end = place(scale, value, start, right);
                    return (
                      <>
                        <rect class={`bar c${s}`} x={Math.min(zero, end)} y={y + s * thick} width={Math.max(1, Math.abs(end - zero))} height={thick - 2} />
                        <text x={value < 0 ? end - 4 : end + 4} y={y + s * thick + thick / 2 + 3} text-anchor={value < 0 ? 'end' : 'start'}>
                          {plain(value)}
                        </text>
                      </>
                    );
                  })}
                </>
              );
            })}
            {y_label && (
              <text class="axis-name" x={width} y={bottom + foot + 12} text-anchor="end">
                {cut(y_label, width)}
              </text>
            )}
          </>
        );
      }}
    </Frame>
  );
}

function Standing({ labels, series, x_label, y_label, shared }: BarRecord & { shared: Shared }) {
  const scale = scaleOf(series.flatMap((one) => one.values), 5, true);
  const left = gutter(scale);
  const longest = labels.reduce((most, label) => Math.max(most, label.length), 1);
  const height = 240;
  const bottom = height - foot - (x_label ? 16 : 0);
  return (
    <Frame {...shared} height={() => height}>
      {(width) => {
        const each = (width - left) / labels.length;
        const thick = Math.max(0.5, (each * 0.84) / series.length);
        const skip = every(labels.length, width - left, Math.min(longest, 8) * 7.5 + 8);
        const zero = place(scale, 0, bottom, top);
        return (
          <>
            <Axes width={width} height={height} left={left} y={scale} x_label={x_label} y_label={y_label} />
            {labels.map((label, i) => (
              <>
                {i % skip === 0 && (
                  <text x={left + (i + 0.5) * each} y={bottom + 16} text-anchor="middle">
                    {cut(label, each * skip)}
                  </text>
                )}
                {series.map(({ values }, s) => {
                  const value = values[i] ?? null;
                  if (value === null) return null;
                  const end = place(scale, value, bottom, top);
                  const x = left + i * each + each * 0.08 + s * thick;
                  return <rect class={`bar c${s}`} x={x} y={Math.min(zero, end)} width={thick} height={Math.max(1, Math.abs(end - zero))} />;
                })}
              </>
            ))}
          </>
        );
      }}
    </Frame>
  );
}

function Lines({ record }: { record: LineRecord }) {
  const { x, series, x_label, y_label } = record;
  const y = scaleOf(series.flatMap((one) => one.values), 5);
  const left = gutter(y);
  const height = 260;
  const bottom = height - foot - (x_label ? 16 : 0);
  const named = typeof x[0] === 'string';
  const places = named ? x.map((_, i) => i) : (x as number[]);
  const across = named ? { low: 0, high: Math.max(1, x.length - 1), steps: [] } : undefined;
  return (
    <Frame
      title={record.title}
      alt={t('ui.lab.chart.line', { Count: series.length, ...range(series.flatMap((one) => one.values)) })}
      names={series.map(({ name }) => name)}
      columns={heads(x_label, series, y_label)}
      rows={(x as Cell[]).map((at, i) => [at, ...series.map((one) => one.values[i] ?? null)])}
      height={() => height}
    >
      {(width) => {
        const right = width - 14;
        const scale = across ?? scaleOf(places, width / 90);
        const longest = named ? (x as string[]).reduce((most, label) => Math.max(most, label.length), 1) : 0;
        const skip = every(x.length, right - left, Math.min(longest, 9) * 7.5 + 8);
        const marks = named ? (x as string[]).map((label, i) => [i, label] as const).filter(([i]) => i % skip === 0) : scale.steps.map((step) => [step, plain(step)] as const);
        return (
          <>
            <Axes width={width} height={height} left={left} y={y} x_label={x_label} y_label={y_label} />
            {marks.map(([at, label]) => (
              <text x={place(scale, at, left + 6, right)} y={bottom + 16} text-anchor="middle">
                {cut(label, 80)}
              </text>
            ))}
            {series.map(({ values }, s) => {
              const points = values.map((value, i) => (value === null ? null : ([place(scale, places[i] as number, left + 6, right), place(y, value, bottom, top)] as const)));
              const few = points.length <= 24;
              return (
                <g class={`c${s}`}>
                  <path class="line" d={path(points)} />
                  {points.map((point, i) => point && (few || !(points[i - 1] ?? points[i + 1])) && <Mark shape={s} x={point[0]} y={point[1]} />)}
                </g>
              );
            })}
          </>
        );
      }}
    </Frame>
  );
}

function Points({ record }: { record: ScatterRecord }) {
  const { x, y, groups, names, x_label, y_label } = record;
  const up = scaleOf(y, 5);
  const left = gutter(up);
  const height = 300;
  const bottom = height - foot - (x_label ? 16 : 0);
  const columns = [x_label ?? 'x', y_label ?? 'y'];
  return (
    <Frame
      title={record.title}
      alt={t('ui.lab.chart.scatter', { Count: x.length, ...range(y) })}
      names={names}
      columns={groups ? [...columns, t('ui.lab.chart.group')] : columns}
      rows={x.map((at, i) => [at, y[i] ?? null, ...(groups ? [names?.[groups[i] as number] ?? null] : [])])}
      height={() => height}
    >
      {(width) => {
        const right = width - 14;
        const across = scaleOf(x, width / 90);
        return (
          <>
            <Axes width={width} height={height} left={left} y={up} x_label={x_label} y_label={y_label} />
            {across.steps.map((step) => {
              const at = place(across, step, left + 8, right);
              return (
                <>
                  <path class="grid" d={`M${at} ${top}V${bottom}`} />
                  <text x={at} y={bottom + 16} text-anchor="middle">
                    {plain(step)}
                  </text>
                </>
              );
            })}
            {x.map((at, i) => {
              const value = y[i] ?? null;
              if (at === null || value === null) return null;
              const group = groups?.[i] ?? 0;
              return (
                <g class={`c${group} point`}>
                  <Mark shape={group} x={place(across, at, left + 8, right)} y={place(up, value, bottom, top)} />
                </g>
              );
            })}
          </>
        );
      }}
    </Frame>
  );
}
