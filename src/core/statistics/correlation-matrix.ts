// Pearson's correlation of every pair of many series. Each series is centred and scaled to length 1
// once; then a correlation is one dot product, and a kernel takes eight of them at once. Long series
// go through in blocks, so that the working copy stays small (512 series: 16 MiB).

import { assert } from '../../base/assert.ts';
import { clamp } from '../../base/numbers.ts';
import { blockLength, largestDistance, unitFactor } from './association.ts';
import { columnsAtOnce, type DotKernel, dotKernel, rowsAtOnce } from './dot-kernel.ts';

/** How a value becomes its share of a series of length 1. */
type Scale = {
  readonly pivot: number;
  readonly factor: number;
  /** Mean of the scaled distances from the pivot. */
  readonly centre: number;
  readonly inverseNorm: number;
};

/** Of a series without any deviation every share is 0, and so is every correlation. */
function scaleOf(series: Float64Array): Scale {
  const pivot = series[0] ?? 0;
  const factor = unitFactor(largestDistance(series, pivot));
  const centre = sumOfDistances(series, pivot, factor) / series.length;
  let squares = 0;
  for (let at = 0; at < series.length; at += 1) {
    const deviation = ((series[at] ?? 0) - pivot) * factor - centre;
    squares += deviation * deviation;
  }
  return { pivot, factor, centre, inverseNorm: squares === 0 ? 0 : 1 / Math.sqrt(squares) };
}

function sumOfDistances(series: Float64Array, pivot: number, factor: number): number {
  let sum = 0;
  for (let at = 0; at < series.length; at += 1) sum += ((series[at] ?? 0) - pivot) * factor;
  return sum;
}

function fillRow(row: Float64Array, series: Float64Array, start: number, scale: Scale): void {
  const { pivot, factor, centre, inverseNorm } = scale;
  const length = Math.min(row.length, series.length - start);
  for (let at = 0; at < length; at += 1) {
    row[at] = (((series[start + at] ?? 0) - pivot) * factor - centre) * inverseNorm;
  }
  row.fill(0, Math.max(0, length));
}

/** Adds the products of the panel's rows to the upper triangle of the matrix. */
function addProducts(matrix: Float64Array, size: number, kernel: DotKernel): void {
  for (let first = 0; first < size; first += rowsAtOnce) {
    for (let second = first; second < size; second += columnsAtOnce) {
      kernel.run(first, second);
      addTile(matrix, size, kernel.tile, first, second);
    }
  }
}

function addTile(
  matrix: Float64Array,
  size: number,
  tile: Float64Array,
  first: number,
  second: number,
): void {
  const rows = Math.min(rowsAtOnce, size - first);
  const columns = Math.min(columnsAtOnce, size - second);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const at = (first + row) * size + second + column;
      matrix[at] = (matrix[at] ?? 0) + (tile[row * columnsAtOnce + column] ?? 0);
    }
  }
}

/**
 * The symmetric matrix, row by row, size x size. A pair in which a series has no deviation, or whose
 * lengths differ, has 0; a series has exactly 1 with itself. NaN propagates to the series' pairs.
 */
export function correlationMatrix(series: readonly Float64Array[]): Float64Array {
  const size = series.length;
  const matrix = new Float64Array(size * size);
  const longest = series.reduce((most, { length }) => Math.max(most, length), 0);
  const rows = Math.ceil(size / rowsAtOnce) * rowsAtOnce;
  const kernel = dotKernel(rows, Math.min(longest, blockLength));
  const scales = series.map(scaleOf);
  for (let start = 0; start < longest; start += blockLength) {
    series.forEach((values, at) => {
      const scale = scales[at];
      assert(scale !== undefined, `series ${at} has no scale`);
      const row = kernel.panel.subarray(at * kernel.stride, (at + 1) * kernel.stride);
      fillRow(row, values, start, scale);
    });
    addProducts(matrix, size, kernel);
  }
  finish(matrix, series);
  return matrix;
}

/** Mirrors the upper triangle and holds each figure within its rules. */
function finish(matrix: Float64Array, series: readonly Float64Array[]): void {
  const size = series.length;
  for (let row = 0; row < size; row += 1) {
    for (let column = row; column < size; column += 1) {
      const product = matrix[row * size + column] ?? 0;
      const alike = series[row]?.length === series[column]?.length;
      const itself = row === column && product > 0;
      const value = itself ? 1 : alike ? clamp(product, -1, 1) : 0;
      matrix[row * size + column] = value;
      matrix[column * size + row] = value;
    }
  }
}
