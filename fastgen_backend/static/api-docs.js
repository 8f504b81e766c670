// Swagger UI over our document. It sends what it is told to this server alone, and keeps no token for the next visit.
const docs = document.getElementById("docs");
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches); // Swagger UI's own name

follow();
dark.addEventListener("change", follow);

// Swagger UI's own filter knows tags alone. Ours looks for each word in what an operation is called, and opens what it finds.
const SearchOperations = ({ React }) => ({
  fn: {
    opsFilter: (tags, phrase) => {
      const words = phrase.toLowerCase().split(/\s+/);
      const holds = (tag) => (each) => {
        const names = [tag, each.get("method"), each.get("path"), each.getIn(["operation", "summary"])];
        const text = names.join(" ").toLowerCase();
        return words.every((word) => text.includes(word));
      };
      return tags
        .map((found, tag) => found.update("operations", (operations) => operations.filter(holds(tag))))
        .filter((found) => found.get("operations").size > 0);
    },
  },
  components: {
    FilterContainer: ({ layoutSelectors, layoutActions }) => {
      const phrase = layoutSelectors.currentFilter();
      return React.createElement("input", {
        type: "search",
        className: "search",
        "aria-label": docs.dataset.search,
        placeholder: docs.dataset.search,
        value: phrase === true ? "" : phrase,
        onChange: (event) => layoutActions.updateFilter(event.target.value),
      });
    },
  },
  statePlugins: {
    layout: {
      wrapSelectors: {
        isShown: (isShown) => (state, thing, otherwise) => {
          const isFound = thing[0] === "operations-tag" && ![true, ""].includes(state.get("filter"));
          return isShown(thing, otherwise || isFound);
        },
      },
    },
  },
});

SwaggerUIBundle({
  url: docs.dataset.document,
  domNode: docs,
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [SearchOperations],
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: false,
  queryConfigEnabled: false,
  validatorUrl: null,
});
