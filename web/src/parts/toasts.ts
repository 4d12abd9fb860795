import { Toast } from "@base-ui/react/toast";

export const toasts = Toast.createToastManager();

interface Note {
  title: string;
  detail?: string;
  /** What undoes it, or shows more. */
  action?: { label: string; run: () => void };
  failed?: boolean;
}

/** Says what was done; never the only place that does. */
export function say({ title, detail, action, failed = false }: Note): void {
  const id = toasts.add({
    title,
    description: detail,
    type: failed ? "failed" : "done",
    timeout: failed ? 12_000 : 8000,
    priority: failed ? "high" : "low",
    ...(action && {
      actionProps: {
        children: action.label,
        onClick: () => {
          toasts.close(id);
          action.run();
        },
      },
    }),
  });
}
