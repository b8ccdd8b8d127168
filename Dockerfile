# One image per service: docker build --build-arg SERVICE=intake -t tuntas/intake .
# SERVICE is intake, triage, dispatch, sla-monitor or notifier; operations has what operators run; devstack a development stack.
ARG PYTHON_VERSION=3.13.15
ARG SERVICE

FROM python:${PYTHON_VERSION}-slim-trixie AS third-party
ARG UV_VERSION=0.13.9
RUN pip install --no-cache-dir --disable-pip-version-check "uv==${UV_VERSION}"
ENV UV_PROJECT_ENVIRONMENT=/opt/tuntas \
    UV_PYTHON=/usr/local/bin/python \
    UV_PYTHON_DOWNLOADS=never \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1
WORKDIR /src
# The third-party packages come first: they change seldom, and this layer is the large one.
COPY pyproject.toml uv.lock ./
COPY contracts/pyproject.toml contracts/
COPY reference/pyproject.toml reference/
COPY chassis/pyproject.toml chassis/
COPY operations/pyproject.toml operations/
COPY embedded/pyproject.toml embedded/
COPY devstack/pyproject.toml devstack/
COPY demo/pyproject.toml demo/
COPY tools/pyproject.toml tools/
COPY services/intake/pyproject.toml services/intake/
COPY services/triage/pyproject.toml services/triage/
COPY services/dispatch/pyproject.toml services/dispatch/
COPY services/sla-monitor/pyproject.toml services/sla-monitor/
COPY services/notifier/pyproject.toml services/notifier/
ARG SERVICE
RUN uv sync --frozen --no-dev --no-editable --no-install-workspace --package "tuntas-${SERVICE}"

# A service's image holds its own code and what it stands on: a change of another service or of the tools builds nothing anew.
FROM third-party AS build-service
ARG SERVICE
COPY contracts contracts
COPY reference reference
COPY chassis chassis
COPY services/${SERVICE} services/${SERVICE}
RUN uv sync --frozen --no-dev --no-editable --package "tuntas-${SERVICE}"

# What operators run reads the services' migrations and settings; demo, tools and the local stack are not in it.
FROM third-party AS build-operations
COPY contracts contracts
COPY reference reference
COPY chassis chassis
COPY services services
COPY operations operations
RUN uv sync --frozen --no-dev --no-editable --package tuntas-operations

FROM third-party AS build-devstack
COPY contracts contracts
COPY reference reference
COPY chassis chassis
COPY services services
COPY operations operations
COPY embedded embedded
COPY devstack devstack
RUN uv sync --frozen --no-dev --no-editable --package tuntas-devstack

FROM python:${PYTHON_VERSION}-slim-trixie AS runtime
RUN groupadd --gid 10001 tuntas \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin tuntas
# Nothing is written to the image's file system: bytecode is compiled, logs go to standard output.
ENV PATH=/opt/tuntas/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /opt/tuntas
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
# For engines that restart what is not alive; Kubernetes has probes of its own and passes over this.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('TUNTAS_HTTP_PORT', '8080') + '/livez', timeout=4)"]

FROM runtime AS service
COPY --from=build-service /opt/tuntas /opt/tuntas

# ENTRYPOINT knows no variables without a shell, and a shell would keep signals from the service: a stage for each.
FROM service AS service-intake
ENTRYPOINT ["python", "-m", "intake"]

FROM service AS service-triage
ENTRYPOINT ["python", "-m", "triage"]

FROM service AS service-dispatch
ENTRYPOINT ["python", "-m", "dispatch"]

FROM service AS service-sla-monitor
ENTRYPOINT ["python", "-m", "sla_monitor"]

FROM service AS service-notifier
ENTRYPOINT ["python", "-m", "notifier"]

FROM runtime AS service-operations
COPY --from=build-operations /opt/tuntas /opt/tuntas
HEALTHCHECK NONE
ENTRYPOINT ["tuntas"]

FROM runtime AS service-devstack
COPY --from=build-devstack /opt/tuntas /opt/tuntas
HEALTHCHECK NONE
ENTRYPOINT ["python"]

# A stage above, not an image: it has no tag.
# hadolint ignore=DL3006
FROM service-${SERVICE}
