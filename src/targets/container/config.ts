import { CarillonError } from "../../errors.js";
import { AllowedImages } from "./images.js";

/** What the operator allows containers. */
export interface ContainerConfig {
  /** Path of the engine's socket. */
  readonly socketPath: string;
  readonly images: AllowedImages;
  /** Networks besides none that may be named. */
  readonly networks: ReadonlySet<string>;
}

/**
 * Undefined where containers are off: without `CARILLON_CONTAINER_SOCKET`.
 *
 * @throws CarillonError `invalid_config`
 */
export function readContainerConfig(
  env: NodeJS.ProcessEnv = process.env,
): ContainerConfig | undefined {
  const socket = (env.CARILLON_CONTAINER_SOCKET ?? "").replace(/^unix:\/\//, "");
  if (socket === "") return undefined;
  if (!socket.startsWith("/")) {
    throw new CarillonError(
      "invalid_config",
      "CARILLON_CONTAINER_SOCKET: must be the path of a socket, such as /var/run/docker.sock",
    );
  }
  const networks = (env.CARILLON_CONTAINER_NETWORKS ?? "").split(",").map((name) => name.trim());
  return Object.freeze({
    socketPath: socket,
    images: new AllowedImages(env.CARILLON_CONTAINER_IMAGES),
    networks: new Set(networks.filter((name) => name !== "")),
  });
}
