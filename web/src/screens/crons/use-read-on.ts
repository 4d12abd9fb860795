import { useEffect, useRef, type RefObject } from "react";

interface Pages {
  hasNextPage: boolean;
  isFetching: boolean;
  fetchNextPage: () => unknown;
}

/** Reads on before the end of a list comes into sight; its button is for who does not scroll. */
export function useReadOn({
  hasNextPage,
  isFetching,
  fetchNextPage,
}: Pages): RefObject<HTMLDivElement | null> {
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const { current } = end;
    if (current === null || !hasNextPage || isFetching) return undefined;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) fetchNextPage();
      },
      { root: document.getElementById("main"), rootMargin: "0px 0px 1200px 0px" },
    );
    observer.observe(current);
    return () => observer.disconnect();
  }, [hasNextPage, isFetching, fetchNextPage]);
  return end;
}
