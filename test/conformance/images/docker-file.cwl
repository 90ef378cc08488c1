cwlVersion: v1.2
class: CommandLineTool
doc: The image is built from the text of a Dockerfile; no dockerImageId is needed.
requirements:
  DockerRequirement:
    dockerFile: |
      FROM debian:stable-slim
      ARG word=made
      RUN echo "$word by RUN" > /made
inputs: []
outputs: {out: stdout}
baseCommand: [cat, /made]
stdout: out.txt
