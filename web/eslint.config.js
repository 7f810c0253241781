import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

import svelteConfig from './svelte.config.js';

export default ts.config(
  { ignores: ['dist/', 'node_modules/', 'artifacts/'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig },
    },
    rules: {
      // The page's routes are fragments (`#/gallery`): there is no router that a plain link would go around.
      'svelte/no-navigation-without-resolve': 'off',
      // Dates here are values that are never changed in place.
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
  {
    rules: {
      'max-lines': ['error', { max: 400 }],
      'no-undef': 'off',
      eqeqeq: 'error',
    },
  },
);
