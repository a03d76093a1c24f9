# The API and the page in a container. No test builds this file: it is kept short so that it stays true.
#
#   docker build -t mien .
#   docker run --rm -p 8000:8000 -e MIEN_API_KEY=... mien
#
# Binding beyond the container's loopback asks for MIEN_API_KEY; without one the server does not start.

FROM python:3.12-slim AS build
WORKDIR /src
COPY . .
RUN pip install --no-cache-dir --prefix=/install '.[serve]'

FROM python:3.12-slim
COPY --from=build /install /usr/local
RUN useradd --create-home mien
USER mien
EXPOSE 8000
HEALTHCHECK CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz')"]
ENTRYPOINT ["mien", "serve", "--host", "0.0.0.0"]
