import { createStore } from "../store.js";

export const helpOpen = createStore(false);
