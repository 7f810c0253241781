import { features } from '../shell/features.svelte';
import { formUploader } from './form-uploader';
import { tusUploader } from './tus-uploader';
import type { Uploader } from './uploader';

/** The best way to send a file that this server understands. */
export function uploader(): Uploader {
  return features.resumable ? tusUploader : formUploader;
}
