import { expect, test } from 'vitest';

import type { Camera } from '../api/types';
import { cameraName, exposure, focalInFull, isKnown, lensName, shutter } from './camera';

const NOTHING: Camera = {
  make: null,
  model: null,
  lens: null,
  f_number: null,
  exposure_seconds: null,
  iso: null,
  focal_length_mm: null,
  focal_length_35mm: null,
  flash: null,
};

const PHONE: Camera = {
  make: 'Apple',
  model: 'iPhone 15 Pro',
  lens: 'iPhone 15 Pro back triple camera 6.86mm f/1.78',
  f_number: 1.7799999713897705,
  exposure_seconds: 1 / 120,
  iso: 100,
  focal_length_mm: 6.864999771118164,
  focal_length_35mm: 24,
  flash: false,
};

test.each([
  [1 / 8000, '1/8000 s'],
  [1 / 120, '1/120 s'],
  [0.008333, '1/120 s'],
  [0.016666667, '1/60 s'],
  [0.25, '1/4 s'],
  [0.3, '0.3 s'],
  [0.5, '0.5 s'],
  [1, '1 s'],
  [1.3, '1.3 s'],
  [30, '30 s'],
  [240, '240 s'],
])('an exposure of %d seconds stands on the dial as %s', (seconds, text) => {
  expect(shutter(seconds)).toBe(text);
});

test.each([
  ['Canon', 'Canon EOS R5', 'Canon EOS R5'],
  ['NIKON CORPORATION', 'NIKON Z 6', 'NIKON Z 6'],
  ['Apple', 'iPhone 15 Pro', 'Apple iPhone 15 Pro'],
  ['samsung', 'SM-S918B', 'samsung SM-S918B'],
  ['OLYMPUS IMAGING CORP.  ', 'E-M5', 'OLYMPUS E-M5'],
  ['OLYMPUS OPTICAL CO.,LTD', 'C960Z,D460Z', 'OLYMPUS C960Z,D460Z'],
  ['EASTMAN KODAK COMPANY', 'DC210 Zoom (V05.00)', 'EASTMAN KODAK DC210 Zoom (V05.00)'],
  ['Coolpad', 'C103', 'Coolpad C103'],
  ['SONY', null, 'SONY'],
  [null, 'HUAWEI P30', 'HUAWEI P30'],
  ['\0\0', '   ', ''],
])('made by %j, the model %j is called %j', (make, model, name) => {
  expect(cameraName({ ...NOTHING, make, model })).toBe(name);
});

test('a phone tells the length that everybody knows, a camera its own', () => {
  expect(exposure(PHONE)).toEqual(['24 mm', 'f/1.8', '1/120 s', 'ISO 100']);
  expect(focalInFull(PHONE)).toBe('6.9 mm ≙ 24 mm (35 mm)');
  const apsc = { ...PHONE, focal_length_mm: 50, focal_length_35mm: 80, f_number: 8 };
  expect(exposure(apsc)).toEqual(['50 mm', 'f/8', '1/120 s', 'ISO 100']);
});

test('what nobody knows is left out, and what makes no sense is not told', () => {
  expect(exposure(NOTHING)).toEqual([]);
  expect(exposure({ ...NOTHING, f_number: 0, exposure_seconds: Infinity, iso: 6400 })).toEqual(['ISO 6400']);
  expect(exposure({ ...NOTHING, focal_length_35mm: 28 })).toEqual(['28 mm']);
  expect(isKnown(NOTHING)).toBe(false);
  expect(isKnown(null)).toBe(false);
  expect(isKnown(undefined)).toBe(false);
  expect(isKnown({ ...NOTHING, iso: 100 })).toBe(true);
});

test('a lens is told unless it is the camera over again', () => {
  expect(lensName(PHONE)).toBe('iPhone 15 Pro back triple camera 6.86mm f/1.78');
  expect(lensName({ ...NOTHING, make: 'Canon', model: 'Canon X', lens: 'canon x' })).toBe('');
});
