import type { ComponentProps } from "react";
import styles from "./button.module.css";

interface ButtonProps extends ComponentProps<"button"> {
  look?: "plain" | "primary" | "danger" | "quiet";
  small?: boolean;
  /** Why it cannot be used: it stays focusable, and says so. */
  refusal?: string | undefined;
}

export function Button({
  look = "plain",
  small = false,
  refusal,
  onClick,
  className,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      {...(refusal === undefined ? {} : { "aria-disabled": true, title: refusal })}
      onClick={refusal === undefined ? onClick : (event) => event.preventDefault()}
      data-look={look}
      data-small={small || undefined}
      className={[styles.button, className].filter(Boolean).join(" ")}
    />
  );
}

/** A button that is its icon; its name says object and verb. */
export function IconButton({ label, ...rest }: ButtonProps & { label: string }) {
  return <Button look="quiet" {...rest} aria-label={label} title={rest.title ?? label} data-icon />;
}
