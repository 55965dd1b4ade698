// uPlot 1.6.32 makes a number format of `navigator.language` while it is imported and throws where
// that is no language tag, as in `en-US@posix` (fixed upstream, leeoniya/uPlot#1053). Every chart
// therefore loads it through `loadPlot`, which first gives such a browser a usable tag.

export const fallbackLanguage = 'en-GB';

/** Would `Intl` take it? */
export function isUsableLanguage(language: string): boolean {
  try {
    new Intl.NumberFormat(language);
    return true;
  } catch {
    return false;
  }
}

/** Shadows a language that `Intl` refuses on this object only. */
export function guardLanguage(navigatorLike: { readonly language: string }): void {
  if (isUsableLanguage(navigatorLike.language)) return;
  Object.defineProperty(navigatorLike, 'language', {
    value: fallbackLanguage,
    configurable: true,
  });
}

export async function loadPlot() {
  guardLanguage(navigator);
  const { default: Plot } = await import('uplot');
  return Plot;
}
