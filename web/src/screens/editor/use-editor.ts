import { CarillonApiError, type Cron, type NewJob } from "carillon/client";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { useForm, useWatch } from "react-hook-form";
import { problemOf, sentence, type Problem } from "../../api/problem.js";
import { cronsChanged } from "../../crons/actions.js";
import { say } from "../../parts/toasts.js";
import { client } from "../../session/session.js";
import { useDraft } from "./draft.js";
import { changesIn, fieldOf, newCron, problemsIn } from "../../crons/spec.js";
import {
  NOTHING,
  touched,
  valuesOf,
  type EditorValues,
  type FieldName,
} from "../../crons/values.js";

interface Begun {
  appId: string;
  cron: Cron | undefined;
  begin: EditorValues;
}

/** What the fields are compared with: the cron as it was read, or nothing. */
interface Base {
  cron: Cron | undefined;
  values: EditorValues;
}

/** The state of an editor: its fields, what was touched, and saving. */
export function useEditor({ appId, cron, begin }: Begun) {
  const navigate = useNavigate();
  const form = useForm<EditorValues>({ defaultValues: begin, shouldFocusError: false });
  const values = { ...begin, ...(useWatch({ control: form.control }) as EditorValues) };
  const [base, setBase] = useState<Base>({ cron, values: cron ? valuesOf(cron) : NOTHING });
  const [conflict, setConflict] = useState<Cron>();
  const [problem, setProblem] = useState<Problem>();
  const [targetParts, setTargetParts] = useState<Record<string, string>>({});
  const [refused, setRefused] = useState(0);
  const saved = useRef(false);
  const changed = touched(values, base.values);
  // What a copy begins with is nobody's work yet.
  const typed = touched(values, cron ? base.values : begin);
  const draft = useDraft(
    cron?.id ?? `new.${appId}`,
    base.cron?.version ?? 0,
    values,
    cron ? base.values : begin,
  );

  const mutation = useMutation({
    mutationFn: ({ now, reason }: { now: EditorValues; reason: string }) => {
      const why = reason.trim() === "" ? {} : { reason: reason.trim() };
      return base.cron === undefined
        ? client().crons.create(appId, newCron(now, NOTHING), why)
        : client().crons.update(appId, base.cron.id, changesIn(now, base.values), {
            ...why,
            ifMatch: base.cron.version,
          });
    },
    onSuccess: async ({ id, name }) => {
      saved.current = true;
      draft.drop();
      say({ title: cron === undefined ? `Created ${name}` : `Saved ${name}` });
      void cronsChanged();
      await navigate({ to: "/crons/$appId/$cronId", params: { appId, cronId: id } });
    },
    onError: (error) => void refuse(error),
  });

  /** Each complaint to its field; what belongs to none stands beside the button. */
  const refuse = async (error: unknown) => {
    if (error instanceof CarillonApiError && error.status === 401) return;
    if (error instanceof CarillonApiError && error.status === 412 && base.cron) {
      setConflict(await client().crons.get(appId, base.cron.id));
      return;
    }
    const fields = error instanceof CarillonApiError ? error.fields : [];
    const hint = error instanceof CarillonApiError && error.hint ? ` ${sentence(error.hint)}` : "";
    const known = fields.map(({ field, message }) => [fieldOf(field), message] as const);
    setTargetParts(
      Object.fromEntries(
        fields.flatMap(({ field, message }) => {
          const part = /^target\.(\w+)/.exec(field)?.[1];
          return part === undefined ? [] : [[part, sentence(message)]];
        }),
      ),
    );
    for (const [field, message] of known) {
      const only = fields.length === 1 ? hint : "";
      if (field) form.setError(field, { message: sentence(message) + only });
    }
    if (known.length === 0 || known.some(([field]) => field === undefined)) {
      setProblem(problemOf(error));
    }
    setRefused((times) => times + 1);
  };

  const save = (reason: string) => {
    const now = form.getValues();
    const fields: FieldName[] =
      base.cron === undefined
        ? [...touched(now, NOTHING), "name", "schedule"]
        : touched(now, base.values);
    form.clearErrors();
    setProblem(undefined);
    setTargetParts({});
    const problems = Object.entries(problemsIn(now, fields));
    for (const [field, message] of problems) form.setError(field as FieldName, { message });
    if (problems.length > 0) setRefused((times) => times + 1);
    else if (base.cron !== undefined && fields.length === 0) {
      say({ title: "Nothing was changed" });
    } else mutation.mutate({ now, reason });
  };

  /** One job of the cron as the fields have it; undefined, and said, while they stand for nothing. */
  const sample = (): NewJob | undefined => {
    const now = form.getValues();
    const fields = ["payload", "target"] as const;
    form.clearErrors([...fields]);
    setTargetParts({});
    const problems = Object.entries(problemsIn(now, fields));
    for (const [field, message] of problems) form.setError(field as FieldName, { message });
    if (problems.length > 0) {
      setRefused((times) => times + 1);
      return undefined;
    }
    const { payload, target = null } = changesIn(now, NOTHING);
    const method = now.method.trim();
    return { target, payload: { ...payload, ...(method === "" ? {} : { method }) } };
  };

  /** Goes on from another version of the cron, with these values in the fields. */
  const goOnFrom = (current: Cron, next: EditorValues) => {
    setBase({ cron: current, values: valuesOf(current) });
    form.reset(next);
    setConflict(undefined);
  };
  const merge = () => {
    if (conflict === undefined) return;
    const mine = Object.fromEntries(changed.map((field) => [field, values[field]]));
    goOnFrom(conflict, { ...valuesOf(conflict), ...mine });
  };
  const takeTheirs = () => {
    if (conflict !== undefined) goOnFrom(conflict, valuesOf(conflict));
  };
  const restore = () => {
    if (draft.found) form.reset(draft.found.values);
    draft.taken();
  };
  return {
    ...{ form, values, base, changed, save, problem, targetParts, refused, conflict, draft },
    ...{ merge, takeTheirs, restore, sample },
    /** Puts what the server has against the fields to them. */
    complain: (error: unknown) => void refuse(error),
    pending: mutation.isPending,
    isDirty: () => !saved.current && typed.length > 0,
  };
}

export type EditorState = ReturnType<typeof useEditor>;
