/** Colours of the style sheet for a canvas, and hatches made of them. */

export type Ink = (name: string) => string;

/** Of all that is written on a canvas. */
export const FONT = '11px ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", Consolas, monospace';

/** Reads colours as they are now: after a change of theme, ask anew. */
export function inkOf(element: Element): Ink {
  const style = getComputedStyle(element);
  const known = new Map<string, string>();
  return (name) => {
    const color = known.get(name) ?? style.getPropertyValue(name).trim();
    known.set(name, color);
    return color;
  };
}

/** Slanted lines, seven pixels apart. */
export function hatch(context: CanvasRenderingContext2D, color: string, ratio: number): CanvasPattern | string {
  const size = Math.round(7 * ratio);
  const tile = document.createElement('canvas');
  tile.width = size;
  tile.height = size;
  const drawing = tile.getContext('2d');
  if (!drawing) return color;
  drawing.strokeStyle = color;
  drawing.lineWidth = ratio;
  drawing.beginPath();
  for (const shift of [-size, 0, size]) {
    drawing.moveTo(shift, size);
    drawing.lineTo(shift + size, 0);
  }
  drawing.stroke();
  return context.createPattern(tile, 'repeat') ?? color;
}
