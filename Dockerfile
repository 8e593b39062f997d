# A small image that runs `acrmock serve` as a user without rights.
FROM python:3.12-slim AS build
WORKDIR /src
COPY requirements/run.txt requirements/run.txt
RUN python -m venv /opt/acrmock \
 && /opt/acrmock/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/run.txt
COPY . .
RUN /opt/acrmock/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 acrmock && install -d -o acrmock -g acrmock -m 0700 /data
COPY --from=build /opt/acrmock /opt/acrmock
ENV PATH=/opt/acrmock/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ACRMOCK_LOCAL_SOURCES=10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,127.0.0.0/8,::1/128,fc00::/7
USER acrmock
VOLUME /data
EXPOSE 8443 11112
# Inside the container the server binds every interface and takes the private ranges for the vendor's declared addresses:
# a container's peer is the bridge, never the vendor. Publish the port on 127.0.0.1 (see docker-compose.yml).
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["acrmock", "doctor", "--server", "https://localhost:8443", "--data", "/data"]
ENTRYPOINT ["acrmock"]
CMD ["serve", "--bind", "0.0.0.0", "--port", "8443", "--data", "/data", "--public-url", "https://localhost:8443", "--dicom-port", "11112"]
