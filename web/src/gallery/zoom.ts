/** How a picture is looked at: moved from the middle by x and y, and enlarged. */
export interface View {
  scale: number;
  x: number;
  y: number;
}

const MOST = 12;

/** Enlarged by a factor around a point (measured from the middle), which stays under the finger. */
export function pinched(view: View, factor: number, x: number, y: number): View {
  const scale = Math.min(MOST, Math.max(1, view.scale * factor));
  const by = scale / view.scale;
  return { scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
}

/** Never moved so far that the middle of the stage shows nothing; in the middle at its usual size. */
export function contained(view: View, width: number, height: number): View {
  const room = (side: number) => (side * (view.scale - 1)) / 2;
  const within = (value: number, most: number) => Math.min(most, Math.max(-most, value));
  return { scale: view.scale, x: within(view.x, room(width)), y: within(view.y, room(height)) };
}
