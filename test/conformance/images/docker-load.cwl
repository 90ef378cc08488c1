cwlVersion: v1.2
class: CommandLineTool
doc: The image comes out of an archive of docker save beside the document.
requirements:
  DockerRequirement: {dockerLoad: debian.tar}
inputs: []
outputs: {out: stdout}
baseCommand: [sh, -c, 'test -e /etc/debian_version && echo loaded']
stdout: out.txt
