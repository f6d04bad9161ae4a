import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/client.ts";
import { router } from "./app/router.tsx";
import { applyTheme } from "./app/theme.ts";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/frame.css";
import "./styles/table.css";
import "./styles/run.css";
import "./styles/pipeline.css";
import "./styles/asset.css";
import "./styles/calendar.css";

const retriesMax = 3;

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // Entries of the log say what is old: `app/live-updates.ts`.
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      retry: (count, error) =>
        count < retriesMax &&
        error instanceof ApiError &&
        (error.status === 0 || error.status >= 500 || error.status === 429),
    },
  },
});

applyTheme();
createRoot(document.querySelector("#page")!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
