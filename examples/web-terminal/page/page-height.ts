/**
 * Keeps the page as high as what can be seen of it: a soft keyboard covers the lower part, and in
 * some browsers only visualViewport tells.
 */
export function followVisibleHeight(): void {
  const viewport = window.visualViewport;
  if (!viewport) return;
  const follow = (): void => {
    // A page that was zoomed into shows less of itself, but is no smaller.
    if (viewport.scale !== 1) return;
    document.documentElement.style.setProperty('--height', `${String(viewport.height)}px`);
    window.scrollTo(0, 0);
  };
  viewport.addEventListener('resize', follow);
  viewport.addEventListener('scroll', follow);
  follow();
}
