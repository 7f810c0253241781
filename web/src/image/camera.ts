import type { Camera } from '../api/types';

/** Beyond this a lens says little by its own length: a phone's 6.9 mm is what everybody knows as 24 mm. */
const SMALL_SENSOR = 2.5;

/** What a firm is, which is no part of its name: `OLYMPUS OPTICAL CO.,LTD` is `OLYMPUS`. */
const FIRM = /[\s,]+(?:optical|imaging|electric|corporation|corp|company|co|ltd|inc)\b.*$/i;

/** Which camera, without its maker's name twice: `Canon EOS R5`, `Apple iPhone 15 Pro`, `NIKON Z 6`. */
export function cameraName({ make, model }: Camera): string {
  const [maker, body] = [tidy(make).replace(FIRM, ''), tidy(model)];
  if (maker === '' || body === '') return maker || body;
  // What both begin with is said once, as the model says it.
  const first = (text: string) => text.split(' ')[0]?.toLowerCase() ?? '';
  return first(maker) === first(body) ? body : `${maker} ${body}`;
}

/** Its lens, where that tells more than the camera's own name does. */
export function lensName(camera: Camera): string {
  const lens = tidy(camera.lens);
  return lens.toLowerCase() === cameraName(camera).toLowerCase() ? '' : lens;
}

/** How it was taken, in the order in which a photographer says it: `24 mm`, `f/1.8`, `1/120 s`, `ISO 100`. */
export function exposure(camera: Camera): string[] {
  const { f_number, exposure_seconds, iso } = camera;
  return [
    focal(camera),
    isPositive(f_number) ? `f/${rounded(f_number, 1)}` : '',
    isPositive(exposure_seconds) ? shutter(exposure_seconds) : '',
    isPositive(iso) ? `ISO ${iso}` : '',
  ].filter((said) => said !== '');
}

/** The length of the lens in full: `6.9 mm`, and what that is on 35 mm film. */
export function focalInFull({ focal_length_mm, focal_length_35mm }: Camera): string {
  const own = isPositive(focal_length_mm) ? `${rounded(focal_length_mm, 1)} mm` : '';
  const film = isPositive(focal_length_35mm) ? `≙ ${rounded(focal_length_35mm, 0)} mm (35 mm)` : '';
  return [own, film].filter((said) => said !== '').join(' ');
}

/** Whether anything is known that is worth a line. */
export function isKnown(camera: Camera | null | undefined): camera is Camera {
  return !!camera && (cameraName(camera) !== '' || lensName(camera) !== '' || exposure(camera).length > 0);
}

function focal({ focal_length_mm: own, focal_length_35mm: film }: Camera): string {
  if (isPositive(film) && (!isPositive(own) || film / own > SMALL_SENSOR)) return `${rounded(film, 0)} mm`;
  return isPositive(own) ? `${rounded(own, 1)} mm` : '';
}

/** As it stands on the dial: `1/120 s`, `0.5 s`, `30 s`. */
export function shutter(seconds: number): string {
  const inverse = 1 / seconds;
  // From a third of a second on, cameras say it as a decimal.
  if (seconds >= 0.3) return `${rounded(seconds, 1)} s`;
  return `1/${Math.round(inverse)} s`;
}

const tidy = (text: string | null | undefined) => (text ?? '').replace(/[\s\0]+/g, ' ').trim();

const rounded = (value: number, digits: number) => Number(value.toFixed(digits));

function isPositive(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}
