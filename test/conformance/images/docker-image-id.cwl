cwlVersion: v1.2
class: CommandLineTool
doc: A dockerImageId alone names an image that is there.
requirements:
  DockerRequirement: {dockerImageId: debian:stable-slim}
inputs: []
outputs: {out: stdout}
baseCommand: [sh, -c, 'test -e /etc/debian_version && echo named']
stdout: out.txt
